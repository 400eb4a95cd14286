package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Heartbeat: keeps a session, and calls a member to a rebalance. Confined to the shard's serial executor. */
final class HeartbeatHandler {
    private final ShardContext context;
    private final Rebalancer rebalancer;
    private final ClassicMembers consumerGroups;

    HeartbeatHandler(ShardContext context, Rebalancer rebalancer, ClassicMembers consumerGroups) {
        this.context = context;
        this.rebalancer = rebalancer;
        this.consumerGroups = consumerGroups;
    }

    /** @throws ApiException UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION */
    HeartbeatResponseData handle(HeartbeatRequestData request) {
        @Nullable ConsumerGroup consumer = context.groups().consumer(request.groupId());
        if (consumer != null) {
            return consumerGroups.heartbeat(consumer, request);
        }
        @Nullable ClassicGroup group = context.groups().find(request.groupId());
        if (group == null) {
            throw Errors.UNKNOWN_MEMBER_ID.exception();
        }
        Member member = group.validated(request.memberId(), request.groupInstanceId());
        if (request.generationId() != group.generation()) {
            throw Errors.ILLEGAL_GENERATION.exception();
        }
        Errors error =
                switch (group.state()) {
                    case PREPARING_REBALANCE -> Errors.REBALANCE_IN_PROGRESS;
                    case COMPLETING_REBALANCE, STABLE -> Errors.NONE;
                    case EMPTY, DEAD -> Errors.UNKNOWN_MEMBER_ID;
                };
        if (error != Errors.UNKNOWN_MEMBER_ID) {
            rebalancer.startSession(group, member);
        }
        return new HeartbeatResponseData().setErrorCode(error.code());
    }
}
