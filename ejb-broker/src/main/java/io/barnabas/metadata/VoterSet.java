package io.barnabas.metadata;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;

/**
 * The voters that a quorum began with: which nodes, and with which directories. A voter is both, so a node whose directory was lost is
 * another voter and has no vote (KIP-853 names voters so, too). Kept in each voter's directory. Immutable, ordered by node.
 */
record VoterSet(List<Voter> voters) {
    /** One of them. */
    record Voter(int nodeId, Uuid directoryId) {
        @Override
        public String toString() {
            return nodeId + ":" + directoryId;
        }
    }

    VoterSet(List<Voter> voters) {
        this.voters =
                voters.stream().sorted(Comparator.comparingInt(Voter::nodeId)).toList();
    }

    /** @throws IllegalArgumentException if {@code text} is not what {@link #toString} makes */
    static VoterSet parse(String text) {
        return new VoterSet(Stream.of(text.split(","))
                .map(part -> {
                    int colon = part.indexOf(':');
                    if (colon < 0) {
                        throw new IllegalArgumentException("Not a voter: " + part);
                    }
                    return new Voter(
                            Integer.parseInt(part.substring(0, colon)), Uuid.fromString(part.substring(colon + 1)));
                })
                .toList());
    }

    boolean contains(int nodeId, Uuid directoryId) {
        return voters.contains(new Voter(nodeId, directoryId));
    }

    List<Integer> nodeIds() {
        return voters.stream().map(Voter::nodeId).toList();
    }

    /** The directory of a node that is one of them. */
    Uuid directoryId(int nodeId) {
        return voters.stream()
                .filter(voter -> voter.nodeId == nodeId)
                .map(Voter::directoryId)
                .findFirst()
                .orElseThrow();
    }

    /** The id of the cluster that they make: the same on each of them, as random as their directories' ids, never another set's. */
    String clusterId() {
        for (int i = 0; ; i++) {
            UUID id = UUID.nameUUIDFromBytes((i + " " + this).getBytes(StandardCharsets.UTF_8));
            String text = new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits()).toString();
            if (!text.startsWith("-")) { // which command lines would take for an option
                return text;
            }
        }
    }

    @Override
    public String toString() {
        return voters.stream().map(Voter::toString).collect(Collectors.joining(","));
    }
}
