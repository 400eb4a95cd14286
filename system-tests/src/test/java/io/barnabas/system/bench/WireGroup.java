package io.barnabas.system.bench;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.apache.kafka.common.Uuid;

/** The members of one group and what they share out: one topic. Confined to the loop's thread. */
final class WireGroup {
    final String id;
    final String topic;
    final Uuid topicId;
    final int partitions;
    final List<WireMember> members = new ArrayList<>();
    /** Heartbeats that were answered. */
    long beats;

    private boolean changed = true;
    private boolean settled;

    WireGroup(String id, String topic, Uuid topicId, int partitions) {
        this.id = id;
        this.topic = topic;
        this.topicId = topicId;
        this.partitions = partitions;
    }

    /** A member has come to something else. */
    void onChange() {
        changed = true;
    }

    /** Whether all members are of one generation, have fair shares of all partitions, and none waits for anything. */
    boolean isSettled() {
        if (changed) {
            changed = false;
            settled = look();
        }
        return settled;
    }

    private boolean look() {
        int share = partitions / members.size();
        int sum = 0;
        BitSet union = new BitSet(partitions);
        for (WireMember member : members) {
            int load = member.owned.cardinality();
            if (member.epoch == 0 || member.epoch != members.get(0).epoch || load < share || !member.isSteady()) {
                return false;
            }
            sum += load;
            union.or(member.owned);
        }
        return sum == partitions && union.cardinality() == partitions;
    }
}
