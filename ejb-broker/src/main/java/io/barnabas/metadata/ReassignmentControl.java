package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
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
 * one that does is begun by naming the replicas to add and to remove, and ends when the added ones are in sync, which is seen to by
 * {@link PartitionChange} at any change of the in-sync replicas. Pure.
 */
public final class ReassignmentControl {
    private final PartitionRules rules;
    private final RandomGenerator random;

    /** The rules of moves, on those of every change of a partition. */
    public ReassignmentControl(PartitionRules rules, RandomGenerator random) {
        this.rules = rules;
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
                    alter(image, topic.name(), target, request.allowReplicationFactorChange())
                            .ifPresent(records::add);
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

    private Optional<PartitionChangeRecord> alter(
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
        PartitionChange change = rules.change(image, topic, partition);
        if (target.replicas() == null) {
            takeBack(change.uncleanIf(rules.uncleanElection(image, topic)), name, partition);
        } else {
            new ReplicaPlacement(image, random).check(target.replicas(), OptionalInt.empty());
            if (!mayChangeFactor
                    && settled(partition).size() != target.replicas().size()) {
                throw new InvalidReplicationFactorException("The replication factor is changed from "
                        + settled(partition).size() + " to "
                        + target.replicas().size());
            }
            begin(change, partition, target.replicas());
        }
        return change.decide();
    }

    private static void takeBack(PartitionChange change, String topic, PartitionImage partition) {
        if (!isMoving(partition)) {
            throw new NoReassignmentInProgressException(Errors.NO_REASSIGNMENT_IN_PROGRESS.message());
        }
        List<Integer> replicas = settled(partition);
        List<Integer> isr = new ArrayList<>(partition.isr());
        isr.retainAll(replicas);
        if (isr.isEmpty() && !partition.isr().isEmpty() && !change.mayBeUnclean()) {
            throw new InvalidReplicaAssignmentException("Unable to revert partition assignment for " + topic + ":"
                    + partition.partition() + " because it would require an unclean leader election.");
        }
        change.toReplicas(replicas, List.of(), List.of());
    }

    /** Names what to add and to remove; if nothing has to come in sync first, the move ends in the same change. */
    private static void begin(PartitionChange change, PartitionImage partition, List<Integer> target) {
        List<Integer> adding = new ArrayList<>(target);
        adding.removeAll(settled(partition));
        List<Integer> removing = new ArrayList<>(partition.replicas());
        removing.removeAll(target);
        List<Integer> all = new ArrayList<>(target);
        all.addAll(removing);
        change.toReplicas(all, adding, removing);
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
