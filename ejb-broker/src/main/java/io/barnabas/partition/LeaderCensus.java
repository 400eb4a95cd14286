package io.barnabas.partition;

import io.barnabas.metadata.PartitionImage;
import java.util.Collection;

/**
 * How the partitions that this broker leads are replicated, counted at one moment: for metrics, by Kafka's meaning of the words.
 *
 * @param partitions replicas here, led or not
 * @param led partitions that this broker leads
 * @param underReplicated led ones with fewer replicas in sync than there are
 * @param underMinIsr led ones that refuse acks=all
 * @param atMinIsr led ones that would with one replica less in sync
 * @param reassigning led ones whose replicas are being changed
 */
public record LeaderCensus(
        int partitions, int led, int underReplicated, int underMinIsr, int atMinIsr, int reassigning) {
    /** Of nothing. */
    public static final LeaderCensus EMPTY = new LeaderCensus(0, 0, 0, 0, 0, 0);

    /** Counts these. */
    public static LeaderCensus of(Collection<LocalPartition> partitions) {
        int led = 0;
        int underReplicated = 0;
        int underMinIsr = 0;
        int atMinIsr = 0;
        int reassigning = 0;
        for (LocalPartition partition : partitions) {
            if (!partition.leads()) {
                continue;
            }
            PartitionImage image = partition.image();
            boolean moves = !image.addingReplicas().isEmpty()
                    || !image.removingReplicas().isEmpty();
            led++;
            // replicas that are still to come do not count as missing
            underReplicated += image.isr().size()
                            < image.replicas().size() - image.addingReplicas().size()
                    ? 1
                    : 0;
            underMinIsr += partition.underMinIsr() ? 1 : 0;
            atMinIsr += partition.atMinIsr() ? 1 : 0;
            reassigning += moves ? 1 : 0;
        }
        return new LeaderCensus(partitions.size(), led, underReplicated, underMinIsr, atMinIsr, reassigning);
    }
}
