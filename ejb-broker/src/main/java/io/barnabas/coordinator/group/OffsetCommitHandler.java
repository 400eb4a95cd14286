package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.jspecify.annotations.Nullable;

/**
 * OffsetCommit: by a member of the present generation, or by anybody while the group has no members. The topics' names and ids have
 * been checked by then. Confined to the shard's serial executor.
 */
final class OffsetCommitHandler {
    /** From this version on a commit to a group that is not there is told so. */
    private static final int GROUP_ID_NOT_FOUND_VERSION = 9;

    private final ShardContext context;
    private final Rebalancer rebalancer;

    OffsetCommitHandler(ShardContext context, Rebalancer rebalancer) {
        this.context = context;
        this.rebalancer = rebalancer;
    }

    /**
     * Decides.
     *
     * @throws ApiException GROUP_ID_NOT_FOUND or ILLEGAL_GENERATION by version, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID,
     *     REBALANCE_IN_PROGRESS, STALE_MEMBER_EPOCH
     */
    OffsetCommitResponseData handle(ClientInfo client, OffsetCommitRequestData request, Outcome outcome) {
        return append(request, validate(client.version(), request), outcome);
    }

    /** Appends what may be appended: whoever commits has been checked. */
    OffsetCommitResponseData append(OffsetCommitRequestData request, PartitionCheck check, Outcome outcome) {
        OffsetCommitResponseData response = new OffsetCommitResponseData();
        long nowMs = context.nowMs();
        long expiresMs = request.retentionTimeMs() == OffsetCommitRequest.DEFAULT_RETENTION_TIME
                ? CommittedOffset.NO_TIMESTAMP
                : nowMs + request.retentionTimeMs();
        for (OffsetCommitRequestTopic topic : request.topics()) {
            OffsetCommitResponseTopic answered =
                    new OffsetCommitResponseTopic().setTopicId(topic.topicId()).setName(topic.name());
            response.topics().add(answered);
            for (OffsetCommitRequestPartition partition : topic.partitions()) {
                Errors error = Errors.NONE;
                if (isTooLarge(partition.committedMetadata())) {
                    error = Errors.OFFSET_METADATA_TOO_LARGE;
                } else {
                    check.check(topic.topicId(), partition.partitionIndex());
                    CommittedOffset offset = offset(topic, partition, nowMs, expiresMs);
                    outcome.append(GroupRecords.offsetCommit(
                            request.groupId(), topic.name(), partition.partitionIndex(), offset));
                }
                answered.partitions()
                        .add(new OffsetCommitResponsePartition()
                                .setPartitionIndex(partition.partitionIndex())
                                .setErrorCode(error.code()));
            }
        }
        return response;
    }

    private static CommittedOffset offset(
            OffsetCommitRequestTopic topic, OffsetCommitRequestPartition partition, long nowMs, long expiresMs) {
        @Nullable String metadata = partition.committedMetadata();
        return new CommittedOffset(
                -1,
                partition.committedOffset(),
                partition.committedLeaderEpoch(),
                metadata == null ? "" : metadata,
                nowMs,
                expiresMs,
                topic.topicId());
    }

    private boolean isTooLarge(@Nullable String metadata) {
        return metadata != null && metadata.length() > context.settings().offsetMetadataMaxBytes();
    }

    private PartitionCheck validate(short version, OffsetCommitRequestData request) {
        @Nullable ConsumerGroup consumer = context.groups().consumer(request.groupId());
        if (consumer != null) {
            return ConsumerOffsets.validateCommit(
                    consumer, request.memberId(), request.generationIdOrMemberEpoch(), version);
        }
        validateClassic(version, request);
        return PartitionCheck.NONE;
    }

    /** What is asked of each partition of a commit. */
    interface PartitionCheck {
        PartitionCheck NONE = (topic, partition) -> {};

        /** @throws ApiException the whole commit is refused */
        void check(Uuid topic, int partition);
    }

    private void validateClassic(short version, OffsetCommitRequestData request) {
        boolean fromNoMember = request.generationIdOrMemberEpoch() < 0;
        @Nullable ClassicGroup group = context.groups().find(request.groupId());
        if (group == null) {
            if (fromNoMember) {
                return; // the commit makes a simple group
            }
            throw (version >= GROUP_ID_NOT_FOUND_VERSION ? Errors.GROUP_ID_NOT_FOUND : Errors.ILLEGAL_GENERATION)
                    .exception();
        }
        if (fromNoMember && group.is(GroupState.EMPTY)) {
            return;
        }
        if (fromNoMember && request.memberId().isEmpty() && request.groupInstanceId() == null) {
            throw Errors.UNKNOWN_MEMBER_ID.exception(); // the group has members: offsets are theirs
        }
        Member member = group.validated(request.memberId(), request.groupInstanceId());
        if (request.generationIdOrMemberEpoch() != group.generation()) {
            throw Errors.ILLEGAL_GENERATION.exception();
        }
        if (group.is(GroupState.COMPLETING_REBALANCE)) {
            throw Errors.REBALANCE_IN_PROGRESS.exception(); // it is of the new generation and has nothing assigned yet
        }
        if (!group.is(GroupState.EMPTY)) {
            rebalancer.startSession(group, member);
        }
    }
}
