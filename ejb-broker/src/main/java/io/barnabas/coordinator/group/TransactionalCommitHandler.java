package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.TransactionalBatch;
import io.barnabas.coordinator.group.OffsetCommitHandler.PartitionCheck;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData.TxnOffsetCommitResponsePartition;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData.TxnOffsetCommitResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.jspecify.annotations.Nullable;

/**
 * TxnOffsetCommit: offsets that count when the producer's transaction commits. By then the topics have been checked and the partition
 * has joined the transaction. Confined to the shard's serial executor.
 */
final class TransactionalCommitHandler {
    /** From this version on a client knows GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH; before, both are ILLEGAL_GENERATION. */
    private static final int KIP_1319_VERSION = 6;

    private final ShardContext context;
    private final OffsetCommitHandler commits;

    TransactionalCommitHandler(ShardContext context, OffsetCommitHandler commits) {
        this.context = context;
        this.commits = commits;
    }

    /**
     * Decides.
     *
     * @throws ApiException GROUP_ID_NOT_FOUND, STALE_MEMBER_EPOCH or ILLEGAL_GENERATION by version, UNKNOWN_MEMBER_ID,
     *     FENCED_INSTANCE_ID
     */
    TxnOffsetCommitResponseData handle(
            ClientInfo client, TxnOffsetCommitRequestData request, long guard, Outcome outcome) {
        outcome.inTransaction(new TransactionalBatch(request.producerId(), request.producerEpoch(), guard));
        try {
            return answer(commits.append(plain(request), validate(client.version(), request), outcome));
        } catch (StaleMemberEpochException e) {
            throw client.version() >= KIP_1319_VERSION ? e : Errors.ILLEGAL_GENERATION.exception();
        }
    }

    /** Unlike a plain commit, one without a member is taken while the group has members: old versions name none (KIP-447). */
    private PartitionCheck validate(short version, TxnOffsetCommitRequestData request) {
        boolean fromNoMember = request.generationIdOrMemberEpoch() < 0;
        boolean nameless = fromNoMember && request.memberId().isEmpty() && request.groupInstanceId() == null;
        @Nullable ConsumerGroup consumer = context.groups().consumer(request.groupId());
        if (consumer != null) {
            return nameless && request.generationIdOrMemberEpoch() == JoinGroupRequest.UNKNOWN_GENERATION_ID
                    ? PartitionCheck.NONE
                    : ConsumerOffsets.validateCommit(
                            consumer,
                            request.memberId(),
                            request.generationIdOrMemberEpoch(),
                            ConsumerOffsets.MEMBER_EPOCH_VERSION);
        }
        @Nullable ClassicGroup group = context.groups().find(request.groupId());
        if (group == null) {
            if (fromNoMember) {
                return PartitionCheck.NONE;
            }
            throw (version >= KIP_1319_VERSION ? Errors.GROUP_ID_NOT_FOUND : Errors.ILLEGAL_GENERATION).exception();
        }
        if (nameless || (fromNoMember && group.is(GroupState.EMPTY))) {
            return PartitionCheck.NONE;
        }
        group.validated(request.memberId(), request.groupInstanceId());
        if (request.generationIdOrMemberEpoch() != group.generation()) {
            throw Errors.ILLEGAL_GENERATION.exception();
        }
        return PartitionCheck.NONE;
    }

    private static OffsetCommitRequestData plain(TxnOffsetCommitRequestData request) {
        OffsetCommitRequestData plain = new OffsetCommitRequestData().setGroupId(request.groupId());
        request.topics().forEach(topic -> {
            OffsetCommitRequestTopic to =
                    new OffsetCommitRequestTopic().setName(topic.name()).setTopicId(topic.topicId());
            topic.partitions().forEach(partition -> to.partitions()
                    .add(new OffsetCommitRequestPartition()
                            .setPartitionIndex(partition.partitionIndex())
                            .setCommittedOffset(partition.committedOffset())
                            .setCommittedLeaderEpoch(partition.committedLeaderEpoch())
                            .setCommittedMetadata(partition.committedMetadata())));
            plain.topics().add(to);
        });
        return plain;
    }

    private static TxnOffsetCommitResponseData answer(OffsetCommitResponseData plain) {
        TxnOffsetCommitResponseData answer = new TxnOffsetCommitResponseData();
        plain.topics().forEach(topic -> {
            TxnOffsetCommitResponseTopic to =
                    new TxnOffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
            topic.partitions().forEach(partition -> to.partitions()
                    .add(new TxnOffsetCommitResponsePartition()
                            .setPartitionIndex(partition.partitionIndex())
                            .setErrorCode(partition.errorCode())));
            answer.topics().add(to);
        });
        return answer;
    }
}
