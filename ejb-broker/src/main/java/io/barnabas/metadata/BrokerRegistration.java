package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.StaleBrokerEpochException;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.UnfenceBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * What this broker tells the controller of itself: that it is here (fenced at first), that it serves, that it leaves; and which
 * producer ids it needs. Safe from any thread; the answers come on the controller's executor.
 */
public final class BrokerRegistration {
    /** Producer ids of one block, as many as Kafka gives at once. */
    static final int PRODUCER_ID_BLOCK = 1_000;

    private static final byte TRUE = 1;
    private static final byte NO_CHANGE = 0;

    private final Controller controller;
    private final int nodeId;

    BrokerRegistration(Controller controller, int nodeId) {
        this.controller = controller;
        this.nodeId = nodeId;
    }

    /**
     * How a broker presents itself.
     *
     * @param incarnationId random, made at this start
     * @param endpoints where clients reach it
     * @param logDirs ids of its data directories
     * @param features the levels it can run
     * @param cleanShutdownEpoch broker epoch in the mark that its last clean stop left, or -1: another than the last epoch tells that
     *     acknowledged records may be missing from its disk
     */
    public record Presentation(
            Uuid incarnationId,
            List<BrokerImage.Endpoint> endpoints,
            @Nullable String rack,
            List<Uuid> logDirs,
            Map<String, BrokerImage.FeatureRange> features,
            long cleanShutdownEpoch) {}

    /**
     * Registers this broker, fenced. After an unclean stop the partitions it leads begin a new leader epoch in the same entry, so that
     * clients notice if the log's end went back (KIP-320). Replicas that were in a directory which the broker has no more are in its only
     * one from now on, or unassigned if it has several.
     *
     * @return the broker's epoch: the index of the entry
     */
    public CompletableFuture<Long> register(Presentation broker) {
        return controller.submit("RegisterBroker", image -> {
            List<ApiMessage> records = new ArrayList<>();
            records.add(record(broker));
            BrokerImage former = image.broker(nodeId).orElse(null);
            boolean unclean = former != null && former.epoch() != broker.cleanShutdownEpoch();
            addPartitionChanges(image, unclean, broker.logDirs(), records);
            return new Decision<>(records, this::epoch);
        });
    }

    private RegisterBrokerRecord record(Presentation broker) {
        RegisterBrokerRecord record = new RegisterBrokerRecord()
                .setBrokerId(nodeId)
                .setBrokerEpoch(-1)
                .setIncarnationId(broker.incarnationId())
                .setRack(broker.rack())
                .setLogDirs(broker.logDirs())
                .setFenced(true);
        return ImageRecords.presented(record, broker.endpoints(), broker.features());
    }

    private void addPartitionChanges(
            MetadataImage image, boolean unclean, List<Uuid> logDirs, List<ApiMessage> records) {
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                PartitionChangeRecord change =
                        new PartitionChangeRecord().setTopicId(topic.id()).setPartitionId(partition.partition());
                boolean newEpoch = unclean && partition.leader() == nodeId;
                if (newEpoch) {
                    change.setLeader(nodeId);
                }
                List<Uuid> directories = directories(partition, logDirs);
                boolean moved = !directories.equals(partition.directories());
                if (moved) {
                    change.setDirectories(directories);
                }
                if (newEpoch || moved) {
                    records.add(change);
                }
            }
        }
    }

    /** The partition's directories, where this broker's is one that it has. */
    private List<Uuid> directories(PartitionImage partition, List<Uuid> logDirs) {
        int at = partition.replicas().indexOf(nodeId);
        if (at < 0
                || at >= partition.directories().size()
                || logDirs.contains(partition.directories().get(at))) {
            return partition.directories();
        }
        List<Uuid> directories = new ArrayList<>(partition.directories());
        directories.set(at, logDirs.size() == 1 ? logDirs.get(0) : ReplicaPlacement.UNASSIGNED_DIRECTORY);
        return directories;
    }

    /**
     * Where a replica of this broker is.
     *
     * @param directory id of the data directory
     */
    public record Assignment(Uuid topicId, int partition, Uuid directory) {}

    /**
     * Tells in which directories replicas of this broker are (KIP-858), so that a start without a directory does not take for missing what
     * is in it. What the metadata say already, or partitions they no longer have, make no record.
     *
     * @return the metadata's index with that in it
     */
    public CompletableFuture<Long> assign(List<Assignment> assignments) {
        return controller.submit("AssignReplicasToDirs", image -> {
            List<ApiMessage> records = new ArrayList<>();
            for (Assignment each : assignments) {
                @Nullable TopicImage topic = image.topic(each.topicId());
                if (topic != null && each.partition() < topic.partitions().size()) {
                    assign(topic.partitions().get(each.partition()), each, records);
                }
            }
            return new Decision<>(records, MetadataImage::index);
        });
    }

    private void assign(PartitionImage partition, Assignment to, List<ApiMessage> records) {
        int at = partition.replicas().indexOf(nodeId);
        List<Uuid> known = partition.directories();
        if (at >= 0 && at < known.size() && !known.get(at).equals(to.directory())) {
            List<Uuid> directories = new ArrayList<>(known);
            directories.set(at, to.directory());
            records.add(new PartitionChangeRecord()
                    .setTopicId(to.topicId())
                    .setPartitionId(to.partition())
                    .setDirectories(directories));
        }
    }

    private long epoch(MetadataImage image) {
        return image.broker(nodeId).map(BrokerImage::epoch).orElse(-1L);
    }

    /**
     * Lets clients be sent to this broker: its logs are recovered and its ports serve. It leads again, in the same entry, what has no
     * leader and has it in sync: after {@link BrokerRemoval} of the last replica nobody else would.
     *
     * @param brokerEpoch of {@link #register}
     * @return the metadata's index with that in it; fails with {@link StaleBrokerEpochException} if the epoch is not the present one
     */
    public CompletableFuture<Long> unfence(long brokerEpoch) {
        return controller.submit("UnfenceBroker", image -> {
            checkEpoch(image, brokerEpoch);
            List<ApiMessage> records = new ArrayList<>();
            records.add(new UnfenceBrokerRecord().setId(nodeId).setEpoch(brokerEpoch));
            addElections(image, records);
            return new Decision<>(records, MetadataImage::index);
        });
    }

    private void addElections(MetadataImage image, List<ApiMessage> records) {
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                if (partition.leader() < 0 && partition.isr().contains(nodeId)) {
                    records.add(new PartitionChangeRecord()
                            .setTopicId(topic.id())
                            .setPartitionId(partition.partition())
                            .setLeader(nodeId));
                }
            }
        }
    }

    /**
     * Tells that this broker is about to stop: no new work is to come its way.
     *
     * @param brokerEpoch of {@link #register}
     * @return the metadata's index with that in it; fails with {@link StaleBrokerEpochException} if the epoch is not the present one
     */
    public CompletableFuture<Long> leave(long brokerEpoch) {
        return controller.submit("BrokerLeaves", image -> {
            checkEpoch(image, brokerEpoch);
            return new Decision<>(
                    List.of(new BrokerRegistrationChangeRecord()
                            .setBrokerId(nodeId)
                            .setBrokerEpoch(brokerEpoch)
                            .setFenced(NO_CHANGE)
                            .setInControlledShutdown(TRUE)),
                    MetadataImage::index);
        });
    }

    private void checkEpoch(MetadataImage image, long brokerEpoch) {
        if (epoch(image) != brokerEpoch) {
            throw new StaleBrokerEpochException("Broker " + nodeId + " has been registered anew");
        }
    }

    /** Takes the next block of producer ids: {@link #PRODUCER_ID_BLOCK} from the answered one on. */
    CompletableFuture<Long> allocateProducerIds() {
        return controller.submit("AllocateProducerIds", image -> {
            long first = image.nextProducerId();
            return Decision.of(
                    List.of(new ProducerIdsRecord()
                            .setBrokerId(nodeId)
                            .setBrokerEpoch(epoch(image))
                            .setNextProducerId(first + PRODUCER_ID_BLOCK)),
                    first);
        });
    }
}
