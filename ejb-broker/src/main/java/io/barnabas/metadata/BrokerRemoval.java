package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/** The rule of taking a broker's registration out of the cluster (KIP-500): it leads and is in sync with nothing any more. Pure. */
public final class BrokerRemoval {
    private static final int NO_LEADER = -1;

    private BrokerRemoval() {}

    /**
     * Takes a broker out.
     *
     * @throws BrokerIdNotRegisteredException if there is no such broker
     */
    public static Decision<Integer> decide(MetadataImage image, int brokerId) {
        BrokerImage broker = image.broker(brokerId)
                .orElseThrow(() ->
                        new BrokerIdNotRegisteredException("Broker ID " + brokerId + " is not currently registered"));
        List<ApiMessage> records = new ArrayList<>();
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                if (partition.isr().contains(brokerId) || partition.leader() == brokerId) {
                    records.add(without(image, topic, partition, brokerId));
                }
            }
        }
        records.add(new UnregisterBrokerRecord().setBrokerId(brokerId).setBrokerEpoch(broker.epoch()));
        return Decision.of(records, brokerId);
    }

    private static PartitionChangeRecord without(
            MetadataImage image, TopicImage topic, PartitionImage partition, int brokerId) {
        PartitionChangeRecord change =
                new PartitionChangeRecord().setTopicId(topic.id()).setPartitionId(partition.partition());
        List<Integer> isr = partition.isr().stream().filter(r -> r != brokerId).toList();
        if (!isr.isEmpty()) { // the last in-sync replica stays one: it alone has all the records
            change.setIsr(isr);
        }
        if (partition.leader() == brokerId) {
            change.setLeader(partition.replicas().stream()
                    .filter(isr::contains)
                    .filter(r -> image.broker(r)
                            .filter(b -> !b.fenced() && !b.inControlledShutdown())
                            .isPresent())
                    .findFirst()
                    .orElse(NO_LEADER));
        }
        return change;
    }
}
