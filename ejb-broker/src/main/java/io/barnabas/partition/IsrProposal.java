package io.barnabas.partition;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * The in-sync replicas that a leader asks the controller for. Until that is settled, who is to come in counts as in sync, too, and who is
 * to go still does.
 *
 * @param leaderEpoch under which the leader asks
 * @param partitionEpoch that the change is made to: the controller compares it
 * @param shrinks fewer are in sync than before, otherwise more or others
 */
public record IsrProposal(
        TopicPartition partition,
        Uuid topicId,
        int leaderEpoch,
        int partitionEpoch,
        List<Member> isr,
        boolean shrinks) {
    /**
     * One in-sync replica.
     *
     * @param brokerEpoch that the leader has seen of it, or -1: the controller refuses another (KIP-903)
     */
    public record Member(int brokerId, long brokerEpoch) {}

    boolean has(int brokerId) {
        for (Member member : isr) {
            if (member.brokerId() == brokerId) {
                return true;
            }
        }
        return false;
    }
}
