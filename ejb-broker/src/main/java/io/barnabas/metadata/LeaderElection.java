package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ElectLeadersResponseData.PartitionResult;
import org.apache.kafka.common.message.ElectLeadersResponseData.ReplicaElectionResult;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * The rule of electing leaders on request: the preferred replica if it is in sync, or, where there is no leader at all, a replica that
 * may lack records (KIP-460). Made for one request; pure.
 */
public final class LeaderElection {
    private final PartitionRules rules;
    private final MetadataImage image;
    private final ElectionType type;
    private final List<ApiMessage> records = new ArrayList<>();

    private LeaderElection(PartitionRules rules, MetadataImage image, ElectionType type) {
        this.rules = rules;
        this.image = image;
        this.type = type;
    }

    /**
     * Elects what can be elected.
     *
     * @throws InvalidRequestException if the type of election is unknown
     */
    public static Decision<ElectLeadersResponseData> decide(
            PartitionRules rules, MetadataImage image, ElectLeadersRequestData request) {
        ElectionType type;
        try {
            type = ElectionType.valueOf(request.electionType());
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException("Unknown election type " + request.electionType());
        }
        LeaderElection election = new LeaderElection(rules, image, type);
        ElectLeadersResponseData response = request.topicPartitions() == null ? election.all() : election.some(request);
        return Decision.of(election.records, response);
    }

    private ElectLeadersResponseData some(ElectLeadersRequestData request) {
        ElectLeadersResponseData response = new ElectLeadersResponseData();
        request.topicPartitions().forEach(topic -> {
            ReplicaElectionResult result = new ReplicaElectionResult().setTopic(topic.topic());
            topic.partitions().forEach(p -> add(result, p, elect(topic.topic(), p)));
            response.replicaElectionResults().add(result);
        });
        return response;
    }

    /** Every partition; those that need no election are not spoken of. */
    private ElectLeadersResponseData all() {
        ElectLeadersResponseData response = new ElectLeadersResponseData();
        for (TopicImage topic : image.topics()) {
            ReplicaElectionResult result = new ReplicaElectionResult().setTopic(topic.name());
            for (PartitionImage partition : topic.partitions()) {
                ApiError error = elect(topic.name(), partition.partition());
                if (error.error() != Errors.ELECTION_NOT_NEEDED) {
                    add(result, partition.partition(), error);
                }
            }
            response.replicaElectionResults().add(result);
        }
        return response;
    }

    private static void add(ReplicaElectionResult result, int partition, ApiError error) {
        result.partitionResult()
                .add(new PartitionResult()
                        .setPartitionId(partition)
                        .setErrorCode(error.error().code())
                        .setErrorMessage(error.message()));
    }

    private ApiError elect(String name, int index) {
        @Nullable TopicImage topic = image.topic(name);
        if (topic == null) {
            return new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION, "No such topic as " + name);
        }
        @Nullable PartitionImage partition = image.partition(name, index);
        if (partition == null) {
            return new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION, "No such partition as " + name + "-" + index);
        }
        return type == ElectionType.PREFERRED ? preferred(topic, partition) : unclean(topic, partition);
    }

    private ApiError preferred(TopicImage topic, PartitionImage partition) {
        if (partition.leader() == partition.replicas().get(0)) {
            return new ApiError(Errors.ELECTION_NOT_NEEDED);
        }
        return made(rules.change(image, topic, partition).preferringFirst(), Errors.PREFERRED_LEADER_NOT_AVAILABLE);
    }

    private ApiError unclean(TopicImage topic, PartitionImage partition) {
        if (partition.leader() >= 0) {
            return new ApiError(Errors.ELECTION_NOT_NEEDED);
        }
        return made(rules.change(image, topic, partition).uncleanIf(true), Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE);
    }

    private ApiError made(PartitionChange change, Errors otherwise) {
        Optional<PartitionChangeRecord> record = change.decide();
        record.ifPresent(records::add);
        return record.isPresent() ? ApiError.NONE : new ApiError(otherwise);
    }
}
