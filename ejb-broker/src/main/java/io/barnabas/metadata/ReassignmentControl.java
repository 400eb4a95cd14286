package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.NoReassignmentInProgressException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignableTopicResponse;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingPartitionReassignment;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingTopicReassignment;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * The rules of moving partitions to other brokers (KIP-455): begin, take back, list. A move that needs no new replica is done at once;
 * one that does is begun by naming the replicas to add and to remove, and ends when the added ones are in sync, which is the business
 * of whoever changes the in-sync replicas. Pure.
 */
public final class ReassignmentControl {
    private final RandomGenerator random;

    /** Rules that need no configuration. */
    public ReassignmentControl(RandomGenerator random) {
        this.random = random;
    }

    /** Begins or takes back moves. */
    public Decision<AlterPartitionReassignmentsResponseData> alter(
            MetadataImage image, AlterPartitionReassignmentsRequestData request) {
        List<ApiMessage> records = new ArrayList<>();
        AlterPartitionReassignmentsResponseData response = new AlterPartitionReassignmentsResponseData()
                .setErrorMessage(null)
                .setAllowReplicationFactorChange(request.allowReplicationFactorChange());
        request.topics().forEach(topic -> {
            ReassignableTopicResponse result = new ReassignableTopicResponse().setName(topic.name());
            for (ReassignablePartition target : topic.partitions()) {
                ApiError error = ApiError.NONE;
                try {
                    records.addAll(alter(image, topic.name(), target, request.allowReplicationFactorChange()));
                } catch (ApiException e) {
                    error = ApiError.fromThrowable(e);
                }
                result.partitions()
                        .add(new ReassignablePartitionResponse()
                                .setPartitionIndex(target.partitionIndex())
                                .setErrorCode(error.error().code())
                                .setErrorMessage(error.message()));
            }
            response.responses().add(result);
        });
        return Decision.of(records, response);
    }

    private List<PartitionChangeRecord> alter(
            MetadataImage image, String name, ReassignablePartition target, boolean mayChangeFactor) {
        @Nullable TopicImage topic = image.topic(name);
        if (topic == null) {
            throw new UnknownTopicOrPartitionException("Unable to find a topic named " + name + ".");
        }
        @Nullable PartitionImage partition = image.partition(name, target.partitionIndex());
        if (partition == null) {
            throw new UnknownTopicOrPartitionException(
                    "Unable to find partition " + name + ":" + target.partitionIndex() + ".");
        }
        ReplicaPlacement placement = new ReplicaPlacement(image, random);
        if (target.replicas() == null) {
            return List.of(takenBack(topic, partition, placement));
        }
        placement.check(target.replicas(), OptionalInt.empty());
        if (!mayChangeFactor && settled(partition).size() != target.replicas().size()) {
            throw new InvalidReplicationFactorException("The replication factor is changed from "
                    + settled(partition).size() + " to " + target.replicas().size());
        }
        return begun(topic, partition, target.replicas(), placement);
    }

    private static PartitionChangeRecord takenBack(
            TopicImage topic, PartitionImage partition, ReplicaPlacement placement) {
        if (!isMoving(partition)) {
            throw new NoReassignmentInProgressException(Errors.NO_REASSIGNMENT_IN_PROGRESS.message());
        }
        List<Integer> replicas = new ArrayList<>(partition.replicas());
        replicas.removeAll(partition.addingReplicas());
        List<Integer> isr = new ArrayList<>(partition.isr());
        isr.removeAll(partition.addingReplicas());
        if (isr.isEmpty()) {
            throw new InvalidReplicaAssignmentException("Unable to revert partition assignment for " + topic.name()
                    + ":" + partition.partition() + " because it would require an unclean leader election.");
        }
        return ended(topic, partition, replicas, isr, placement);
    }

    private static List<PartitionChangeRecord> begun(
            TopicImage topic, PartitionImage partition, List<Integer> target, ReplicaPlacement placement) {
        List<Integer> present = settled(partition);
        if (target.equals(partition.replicas()) && !isMoving(partition)) {
            return List.of();
        }
        List<Integer> adding = new ArrayList<>(target);
        adding.removeAll(present);
        List<Integer> removing = new ArrayList<>(present);
        removing.removeAll(target);
        List<Integer> isr = new ArrayList<>(partition.isr());
        isr.retainAll(target);
        if (isr.containsAll(adding) && isr.stream().anyMatch(placement::isActive)) {
            return List.of(ended(topic, partition, target, isr, placement));
        }
        Set<Integer> all = new LinkedHashSet<>(target);
        all.addAll(present);
        return List.of(change(topic, partition)
                .setReplicas(List.copyOf(all))
                .setAddingReplicas(adding)
                .setRemovingReplicas(removing));
    }

    private static PartitionChangeRecord ended(
            TopicImage topic,
            PartitionImage partition,
            List<Integer> replicas,
            List<Integer> isr,
            ReplicaPlacement placement) {
        PartitionChangeRecord record = change(topic, partition)
                .setReplicas(replicas)
                .setIsr(isr)
                .setAddingReplicas(List.of())
                .setRemovingReplicas(List.of());
        if (!isr.contains(partition.leader())) {
            replicas.stream()
                    .filter(r -> isr.contains(r) && placement.isActive(r))
                    .findFirst()
                    .ifPresent(record::setLeader);
        }
        return record;
    }

    /** The replicas the partition has when no move, or the one before a move, is done. */
    private static List<Integer> settled(PartitionImage partition) {
        List<Integer> replicas = new ArrayList<>(partition.replicas());
        replicas.removeAll(partition.addingReplicas());
        return replicas;
    }

    private static boolean isMoving(PartitionImage partition) {
        return !partition.addingReplicas().isEmpty()
                || !partition.removingReplicas().isEmpty();
    }

    private static PartitionChangeRecord change(TopicImage topic, PartitionImage partition) {
        return new PartitionChangeRecord().setTopicId(topic.id()).setPartitionId(partition.partition());
    }

    /** The moves under way, of the topics asked for or of all. */
    public static ListPartitionReassignmentsResponseData list(
            MetadataImage image, ListPartitionReassignmentsRequestData request) {
        ListPartitionReassignmentsResponseData response =
                new ListPartitionReassignmentsResponseData().setErrorMessage(null);
        if (request.topics() == null) {
            image.topics().forEach(topic -> add(response, topic, topic.partitions()));
        } else {
            request.topics().forEach(wanted -> {
                @Nullable TopicImage topic = image.topic(wanted.name());
                if (topic != null) {
                    Set<Integer> indexes = new HashSet<>(wanted.partitionIndexes());
                    List<PartitionImage> partitions = topic.partitions().stream()
                            .filter(p -> indexes.contains(p.partition()))
                            .toList();
                    add(response, topic, partitions);
                }
            });
        }
        return response;
    }

    private static void add(
            ListPartitionReassignmentsResponseData response, TopicImage topic, List<PartitionImage> partitions) {
        OngoingTopicReassignment moving = new OngoingTopicReassignment().setName(topic.name());
        for (PartitionImage p : partitions) {
            if (isMoving(p)) {
                moving.partitions()
                        .add(new OngoingPartitionReassignment()
                                .setPartitionIndex(p.partition())
                                .setReplicas(p.replicas())
                                .setAddingReplicas(p.addingReplicas())
                                .setRemovingReplicas(p.removingReplicas()));
            }
        }
        if (!moving.partitions().isEmpty()) {
            response.topics().add(moving);
        }
    }
}
