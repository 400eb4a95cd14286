package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * SyncGroup: the leader brings the generation's assignment, which goes to the log; everybody gets their part once it is there. Confined
 * to the shard's serial executor.
 */
final class SyncHandler {
    private final ShardContext context;
    private final Rebalancer rebalancer;
    private final ClassicMembers consumerGroups;

    SyncHandler(ShardContext context, Rebalancer rebalancer, ClassicMembers consumerGroups) {
        this.context = context;
        this.rebalancer = rebalancer;
        this.consumerGroups = consumerGroups;
    }

    void handle(SyncGroupRequestData request, CompletableFuture<SyncGroupResponseData> reply, Outcome outcome) {
        @Nullable ConsumerGroup consumer = context.groups().consumer(request.groupId());
        if (consumer != null) {
            outcome.answer(reply, consumerGroups.sync(consumer, request));
            return;
        }
        @Nullable ClassicGroup group = context.groups().find(request.groupId());
        if (group == null || group.is(GroupState.EMPTY)) {
            refuse(reply, Errors.UNKNOWN_MEMBER_ID, outcome);
            return;
        }
        Member member;
        try {
            member = group.validated(request.memberId(), request.groupInstanceId());
            validateGeneration(group, request);
        } catch (ApiException e) {
            refuse(reply, Errors.forException(e), outcome);
            return;
        }
        switch (group.state()) {
            case COMPLETING_REBALANCE -> {
                await(group, member, reply, outcome);
                if (group.isLeader(member.id)) {
                    recordAssignment(group, request, outcome);
                }
            }
            case STABLE -> {
                group.removePendingSync(member.id);
                outcome.answer(reply, Rebalancer.synced(group, member));
            }
            case PREPARING_REBALANCE -> refuse(reply, Errors.REBALANCE_IN_PROGRESS, outcome);
            case EMPTY, DEAD -> refuse(reply, Errors.UNKNOWN_MEMBER_ID, outcome);
        }
    }

    private static void validateGeneration(ClassicGroup group, SyncGroupRequestData request) {
        if (request.generationId() != group.generation()) {
            throw Errors.ILLEGAL_GENERATION.exception();
        }
        if (differs(request.protocolType(), group.protocolType())
                || differs(request.protocolName(), group.protocol())) {
            throw Errors.INCONSISTENT_GROUP_PROTOCOL.exception();
        }
    }

    /** Versions below 5 do not say it (KIP-559). */
    private static boolean differs(@Nullable String said, @Nullable String held) {
        return said != null && held != null && !said.equals(held);
    }

    private static void await(
            ClassicGroup group, Member member, CompletableFuture<SyncGroupResponseData> reply, Outcome outcome) {
        group.answerSync(
                member, new SyncGroupResponseData().setErrorCode(Errors.REBALANCE_IN_PROGRESS.code()), outcome);
        member.awaitingSync = reply;
        group.removePendingSync(member.id);
    }

    private void recordAssignment(ClassicGroup group, SyncGroupRequestData request, Outcome outcome) {
        Map<String, byte[]> assignments = new HashMap<>();
        request.assignments().forEach(part -> assignments.put(part.memberId(), part.assignment()));
        outcome.append(GroupRecords.generation(group, assignments));
        outcome.ifApplied(() -> rebalancer.spreadAssignment(group, outcome));
        outcome.ifRefused(error -> rebalancer.onAssignmentRefused(group, Errors.forException(error), outcome));
    }

    private static void refuse(CompletableFuture<SyncGroupResponseData> reply, Errors error, Outcome outcome) {
        outcome.answer(reply, new SyncGroupResponseData().setErrorCode(error.code()));
    }
}
