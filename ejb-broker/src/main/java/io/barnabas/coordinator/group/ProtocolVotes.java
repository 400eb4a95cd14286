package io.barnabas.coordinator.group;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;

/**
 * Which protocols the members of a classic group support, and which one they choose. {@link ClassicGroup} counts its members in and out.
 *
 * <p>Confined to the shard's serial executor.
 */
final class ProtocolVotes {
    private final Map<String, Integer> supporters = new HashMap<>(); // of each protocol

    void add(Member member) {
        count(member.protocols, 1);
    }

    void remove(Member member) {
        count(member.protocols, -1);
    }

    /** The protocols that this many members support. */
    Set<String> supportedBy(int members) {
        Set<String> names = new HashSet<>();
        supporters.forEach((name, count) -> {
            if (count == members) {
                names.add(name);
            }
        });
        return names;
    }

    /** The protocol with the most votes among those that every one of {@code members}, all that are counted, supports. */
    String select(Collection<Member> members) {
        Set<String> candidates = supportedBy(members.size());
        Map<String, Integer> votes = new LinkedHashMap<>();
        for (Member member : members) {
            votes.merge(member.vote(candidates), 1, Integer::sum);
        }
        String best = "";
        int most = 0;
        for (Map.Entry<String, Integer> vote : votes.entrySet()) {
            if (vote.getValue() > most) {
                most = vote.getValue();
                best = vote.getKey();
            }
        }
        return best;
    }

    private void count(JoinGroupRequestProtocolCollection protocols, int by) {
        Set<String> names = new HashSet<>(); // a client may name one twice
        for (JoinGroupRequestProtocol supported : protocols) {
            if (names.add(supported.name()) && supporters.merge(supported.name(), by, Integer::sum) == 0) {
                supporters.remove(supported.name());
            }
        }
    }
}
