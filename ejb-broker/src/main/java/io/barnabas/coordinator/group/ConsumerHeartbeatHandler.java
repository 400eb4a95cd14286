package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.Assignor;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import io.barnabas.coordinator.group.consumer.CurrentAssignment;
import io.barnabas.coordinator.group.consumer.MemberProfile;
import io.barnabas.coordinator.group.consumer.MemberState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnsupportedAssignorException;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData.Assignment;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData.TopicPartitions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ConsumerGroupHeartbeat (KIP-848): a member joins with epoch 0, leaves with -1, or -2 if it is static and will be back, and else says
 * what has changed and what it has; the answer is what it is to have. {@link MemberUpdate} is the step between. Confined to the shard's
 * serial executor; {@link #validate} to none.
 */
final class ConsumerHeartbeatHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ConsumerHeartbeatHandler.class);
    /** From this version on members make their ids themselves (KIP-1082). */
    private static final int OWN_MEMBER_ID_VERSION = 1;

    /** The part of the heartbeat interval after which a member that waits for partitions asks again. */
    private static final int WAITING_SHARE = 10;

    private static final int UNSAID = -1;

    private final ShardContext context;
    private final ConsumerMembers members;
    private final ConsumerSessions sessions;
    private final MemberUpdate update;

    ConsumerHeartbeatHandler(
            ShardContext context, ConsumerMembers members, ConsumerSessions sessions, MemberUpdate update) {
        this.context = context;
        this.members = members;
        this.sessions = sessions;
        this.update = update;
    }

    /**
     * Checks what can be checked without the group.
     *
     * @throws ApiException INVALID_REQUEST, UNSUPPORTED_ASSIGNOR
     */
    static void validate(ConsumerGroupHeartbeatRequestData request, short version, ConsumerGroupSettings settings) {
        int epoch = request.memberEpoch();
        check(
                !(version >= OWN_MEMBER_ID_VERSION || epoch > 0 || epoch == CurrentAssignment.LEFT)
                        || !request.memberId().isEmpty(),
                "MemberId can't be empty.");
        check(!request.groupId().isEmpty(), "GroupId can't be empty.");
        check(!"".equals(request.instanceId()), "InstanceId can't be empty.");
        check(!"".equals(request.rackId()), "RackId can't be empty.");
        check(epoch >= CurrentAssignment.LEFT_STATIC, "MemberEpoch is invalid.");
        if (epoch == 0) {
            check(request.rebalanceTimeoutMs() != UNSAID, "RebalanceTimeoutMs must be provided in first request.");
            check(
                    request.topicPartitions() != null
                            && request.topicPartitions().isEmpty(),
                    "TopicPartitions must be empty when (re-)joining.");
            check(
                    request.subscribedTopicNames() != null || request.subscribedTopicRegex() != null,
                    "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
        }
        check(epoch != CurrentAssignment.LEFT_STATIC || request.instanceId() != null, "InstanceId can't be null.");
        if (request.serverAssignor() != null && !settings.has(request.serverAssignor())) {
            throw new UnsupportedAssignorException("ServerAssignor " + request.serverAssignor()
                    + " is not supported. Supported assignors: "
                    + String.join(
                            ", ",
                            settings.assignors().stream().map(Assignor::name).toList())
                    + ".");
        }
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new InvalidRequestException(message);
        }
    }

    /** @throws ApiException what the member did wrong; GROUP_ID_NOT_FOUND, GROUP_MAX_SIZE_REACHED */
    ConsumerGroupHeartbeatResponseData handle(
            ClientInfo client, ConsumerGroupHeartbeatRequestData request, Outcome outcome) {
        return request.memberEpoch() < 0 ? leave(request, outcome) : beat(client, request, outcome);
    }

    private ConsumerGroupHeartbeatResponseData beat(
            ClientInfo client, ConsumerGroupHeartbeatRequestData request, Outcome outcome) {
        boolean joins = request.memberEpoch() == 0;
        ConsumerGroup group = members.group(request.groupId(), joins, outcome);
        members.checkRoom(group, request.memberId(), request.instanceId());
        String memberId =
                request.memberId().isEmpty() ? context.memberIds().apply(client.clientId()) : request.memberId();
        ConsumerMember before = request.instanceId() == null
                ? dynamicMember(group, memberId, request)
                : staticMember(group, memberId, request.instanceId(), request, outcome);
        ConsumerMember said = before.with(profile(before.profile(), client, request));
        ConsumerMember after = update.apply(group, before, said, request.topicPartitions(), outcome);
        sessions.start(
                group.id(),
                memberId,
                context.consumers().settings().get().times().sessionTimeoutMs(group.id()));
        return answer(request, before, after).setHeartbeatIntervalMs(intervalMs(group, after));
    }

    private static ConsumerMember dynamicMember(
            ConsumerGroup group, String memberId, ConsumerGroupHeartbeatRequestData request) {
        boolean joins = request.memberEpoch() == 0;
        @Nullable ConsumerMember present = group.member(memberId);
        if (present == null && joins) {
            LOG.info("member joins; group={} member={}", group.id(), memberId);
            return ConsumerMember.fresh(memberId);
        }
        ConsumerMember member = ConsumerMembers.existing(group, memberId);
        ConsumerMembers.checkEpoch(member, request.memberEpoch(), request.topicPartitions());
        return member;
    }

    private ConsumerMember staticMember(
            ConsumerGroup group,
            String memberId,
            String instanceId,
            ConsumerGroupHeartbeatRequestData request,
            Outcome outcome) {
        if (request.memberEpoch() == 0) {
            return members.joiningStatic(group, memberId, instanceId, false, outcome);
        }
        ConsumerMember member = ConsumerMembers.existingStatic(group, memberId, instanceId);
        ConsumerMembers.checkEpoch(member, request.memberEpoch(), request.topicPartitions());
        return member;
    }

    /** What a heartbeat does not say stays as it is. */
    private static MemberProfile profile(
            MemberProfile before, ClientInfo client, ConsumerGroupHeartbeatRequestData request) {
        return new MemberProfile(
                request.instanceId() == null ? before.instanceId() : request.instanceId(),
                request.rackId() == null ? before.rackId() : request.rackId(),
                request.rebalanceTimeoutMs() == UNSAID ? before.rebalanceTimeoutMs() : request.rebalanceTimeoutMs(),
                client.clientId(),
                client.host(),
                request.subscribedTopicNames() == null
                        ? before.topicNames()
                        : Set.copyOf(request.subscribedTopicNames()),
                request.subscribedTopicRegex() == null ? before.topicRegex() : request.subscribedTopicRegex(),
                request.serverAssignor() == null ? before.assignor() : request.serverAssignor(),
                null);
    }

    private static ConsumerGroupHeartbeatResponseData answer(
            ConsumerGroupHeartbeatRequestData request, ConsumerMember before, ConsumerMember after) {
        ConsumerGroupHeartbeatResponseData response =
                new ConsumerGroupHeartbeatResponseData().setMemberId(after.id()).setMemberEpoch(after.epoch());
        // A client that has lost an answer says everything; it is told everything.
        boolean full = request.rebalanceTimeoutMs() != UNSAID
                && (request.subscribedTopicNames() != null || request.subscribedTopicRegex() != null)
                && request.topicPartitions() != null;
        if (request.memberEpoch() == 0
                || full
                || !before.current().assigned().equals(after.current().assigned())) {
            response.setAssignment(assignment(after.current().assigned()));
        }
        return response;
    }

    /**
     * When the member is to be heard next: soon while partitions that are to be its are another's. One of the classic protocol gives up
     * when it joins again, which takes longer than a few heartbeats.
     */
    private int intervalMs(ConsumerGroup group, ConsumerMember member) {
        int intervalMs = context.consumers().settings().get().times().heartbeatIntervalMs(group.id());
        return member.current().state() == MemberState.UNRELEASED_PARTITIONS && group.classicMembers() == 0
                ? Math.max(1, intervalMs / WAITING_SHARE)
                : intervalMs;
    }

    private static Assignment assignment(Map<Uuid, Map<Integer, Integer>> assigned) {
        List<TopicPartitions> topics = new ArrayList<>(assigned.size());
        assigned.forEach((topic, epochs) ->
                topics.add(new TopicPartitions().setTopicId(topic).setPartitions(new ArrayList<>(epochs.keySet()))));
        return new Assignment().setTopicPartitions(topics);
    }

    private ConsumerGroupHeartbeatResponseData leave(ConsumerGroupHeartbeatRequestData request, Outcome outcome) {
        ConsumerGroup group = members.group(request.groupId(), false, outcome);
        ConsumerMember member = request.instanceId() == null
                ? ConsumerMembers.existing(group, request.memberId())
                : ConsumerMembers.existingStatic(group, request.memberId(), request.instanceId());
        LOG.info("member leaves; group={} member={} epoch={}", group.id(), member.id(), request.memberEpoch());
        if (request.memberEpoch() == CurrentAssignment.LEFT_STATIC && request.instanceId() != null) {
            outcome.append(ConsumerRecords.current(group.id(), member.leavingStatic()));
        } else {
            sessions.fence(group, Set.of(member), outcome);
        }
        return new ConsumerGroupHeartbeatResponseData()
                .setMemberId(request.memberId())
                .setMemberEpoch(request.memberEpoch());
    }
}
