package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * LeaveGroup: members go, by id, or, sent by an administrator, by instance id alone (KIP-345). Confined to the shard's serial executor.
 */
final class LeaveHandler {
    private static final Logger LOG = LoggerFactory.getLogger(LeaveHandler.class);

    private final ShardContext context;
    private final Rebalancer rebalancer;
    private final ClassicMembers consumerGroups;

    LeaveHandler(ShardContext context, Rebalancer rebalancer, ClassicMembers consumerGroups) {
        this.context = context;
        this.rebalancer = rebalancer;
        this.consumerGroups = consumerGroups;
    }

    /** @throws ApiException UNKNOWN_MEMBER_ID if there is no such group */
    LeaveGroupResponseData handle(LeaveGroupRequestData request, Outcome outcome) {
        @Nullable ConsumerGroup consumer = context.groups().consumer(request.groupId());
        if (consumer != null) {
            return consumerGroups.leave(consumer, request, outcome);
        }
        @Nullable ClassicGroup group = context.groups().find(request.groupId());
        if (group == null) {
            throw Errors.UNKNOWN_MEMBER_ID.exception();
        }
        List<MemberResponse> responses = new ArrayList<>(request.members().size());
        boolean anyLeft = false;
        for (MemberIdentity identity : request.members()) {
            Errors error = leave(group, identity, outcome);
            anyLeft |= error == Errors.NONE;
            responses.add(new MemberResponse()
                    .setMemberId(identity.memberId())
                    .setGroupInstanceId(identity.groupInstanceId())
                    .setErrorCode(error.code()));
        }
        if (anyLeft) {
            switch (group.state()) {
                case STABLE, COMPLETING_REBALANCE -> rebalancer.prepare(group, "members leave", outcome);
                case PREPARING_REBALANCE -> rebalancer.maybeCompleteJoin(group, outcome);
                case EMPTY, DEAD -> {} // nobody is left to be told
            }
        }
        return new LeaveGroupResponseData().setMembers(responses);
    }

    private Errors leave(ClassicGroup group, MemberIdentity identity, Outcome outcome) {
        String memberId = identity.memberId();
        @Nullable String instanceId = identity.groupInstanceId();
        if (memberId.isEmpty()) {
            @Nullable String holder = instanceId == null ? null : group.memberIdOf(instanceId);
            if (holder == null) {
                return Errors.UNKNOWN_MEMBER_ID;
            }
            memberId = holder;
        } else if (group.isPendingJoin(memberId)) {
            group.remove(memberId);
            return Errors.NONE;
        }
        try {
            Member member = group.validated(memberId, instanceId);
            LOG.info(
                    "member leaves; group={} member={} reason={}",
                    group.id(),
                    memberId,
                    identity.reason() == null
                            ? "not provided"
                            : JoinGroupRequest.maybeTruncateReason(identity.reason())); // KIP-800
            rebalancer.removeMember(group, member, outcome);
            return Errors.NONE;
        } catch (ApiException e) {
            return Errors.forException(e);
        }
    }
}
