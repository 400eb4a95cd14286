package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.jspecify.annotations.Nullable;

/**
 * JoinGroup: a new member gets an id (and, from version 4 on, is sent back to come with it: KIP-394), a known one is taken into the
 * rebalance or told what holds. Confined to the shard's serial executor.
 */
final class JoinHandler {
    private final ShardContext context;
    private final Rebalancer rebalancer;
    private final ClassicMembers consumerGroups;

    /** @param consumerGroups takes members that join consumer groups */
    JoinHandler(ShardContext context, Rebalancer rebalancer, ClassicMembers consumerGroups) {
        this.context = context;
        this.rebalancer = rebalancer;
        this.consumerGroups = consumerGroups;
    }

    /** One request on its way through the handler. */
    private record Join(
            ClientInfo client,
            JoinGroupRequestData request,
            CompletableFuture<JoinGroupResponseData> reply,
            Outcome outcome) {
        boolean isUnknown() {
            return request.memberId().isEmpty();
        }

        String reason() {
            return JoinGroupRequest.maybeTruncateReason(JoinGroupRequest.joinReason(request)); // KIP-800
        }

        Member.Subscription subscription() {
            // version 0 has no rebalance time-out
            int rebalanceTimeoutMs = client.version() == 0 ? request.sessionTimeoutMs() : request.rebalanceTimeoutMs();
            return new Member.Subscription(
                    request.protocolType(), request.protocols(), rebalanceTimeoutMs, request.sessionTimeoutMs());
        }

        void answer(JoinGroupResponseData response) {
            outcome.answer(reply, response);
        }

        void refuse(String memberId, Errors error) {
            answer(error(memberId, error));
        }
    }

    static JoinGroupResponseData error(String memberId, Errors error) {
        return new JoinGroupResponseData().setMemberId(memberId).setErrorCode(error.code());
    }

    void handle(
            ClientInfo client,
            JoinGroupRequestData request,
            CompletableFuture<JoinGroupResponseData> reply,
            Outcome outcome) {
        Join join = new Join(client, request, reply, outcome);
        String groupId = request.groupId();
        if (context.groups().isForeign(groupId)) {
            join.refuse("", Errors.INCONSISTENT_GROUP_PROTOCOL);
            return;
        }
        @Nullable ConsumerGroup consumer = context.groups().consumer(groupId);
        if (consumer != null && !consumer.isEmpty()) {
            consumerGroups.join(consumer, client, request, reply, outcome);
            return;
        }
        @Nullable ClassicGroup present = context.groups().find(groupId);
        if (present == null && !join.isUnknown()) {
            join.refuse(request.memberId(), Errors.UNKNOWN_MEMBER_ID);
            return;
        }
        if (consumer != null) { // nobody is in it: a classic group takes its place
            ConsumerRecords.groupTombstones(consumer, List.of()).forEach(outcome::append);
        }
        int before = outcome.records().size();
        ClassicGroup group = present == null ? context.groups().create(groupId) : present;
        if (!hasRoom(group, request.memberId())) {
            letGo(group, join);
        } else if (!group.supports(request.protocolType(), request.protocols())) {
            join.refuse(request.memberId(), Errors.INCONSISTENT_GROUP_PROTOCOL);
        } else if (join.isUnknown()) {
            onNewMember(group, join);
        } else {
            onKnownMember(group, join);
        }
        if (present == null && outcome.records().size() == before) {
            recordNewGroup(group, join);
        }
    }

    private void recordNewGroup(ClassicGroup group, Join join) {
        join.outcome.append(GroupRecords.newGroup(group));
        join.outcome.ifRefused(error -> {
            JoinGroupResponseData refusal = error("", CoordinatorErrors.ofAppend(Errors.forException(error)));
            group.members().forEach(member -> group.answerJoin(member, refusal, join.outcome));
            context.groups().remove(group.id());
            join.answer(refusal);
        });
    }

    /**
     * While members are called, the ones that have come are counted, so that a group that is over the limit loses those who come last;
     * in a generation its members are.
     */
    private boolean hasRoom(ClassicGroup group, String memberId) {
        @Nullable Member member = group.member(memberId);
        int limit = context.settings().maxSize();
        return switch (group.state()) {
            case EMPTY, DEAD -> true;
            case PREPARING_REBALANCE -> (member != null && member.isAwaitingJoin()) || group.awaitingJoins() < limit;
            case COMPLETING_REBALANCE, STABLE ->
                member != null || group.members().size() < limit;
        };
    }

    private void letGo(ClassicGroup group, Join join) {
        group.remove(join.request.memberId());
        join.refuse("", Errors.GROUP_MAX_SIZE_REACHED);
    }

    // ---- new members

    private void onNewMember(ClassicGroup group, Join join) {
        @Nullable String instanceId = join.request.groupInstanceId();
        String id = context.memberIds().apply(instanceId == null ? join.client.clientId() : instanceId);
        if (instanceId != null) {
            @Nullable String presentId = group.memberIdOf(instanceId);
            if (presentId == null) {
                addMember(group, id, join);
            } else {
                replaceStatic(group, group.memberOf(presentId), id, join);
            }
        } else if (JoinGroupRequest.requiresKnownMemberId(join.client.version())) {
            ShardTimer expiry = context.timers().create();
            group.addPendingJoin(id, expiry);
            expiry.start(join.request.sessionTimeoutMs(), later -> rebalancer.onPendingJoinExpired(group, id, later));
            join.refuse(id, Errors.MEMBER_ID_REQUIRED);
        } else {
            addMember(group, id, join);
        }
    }

    private void addMember(ClassicGroup group, String id, Join join) {
        var identity =
                new Member.Identity(id, join.request.groupInstanceId(), join.client.clientId(), join.client.host());
        Member member =
                new Member(identity, join.subscription(), context.timers().create());
        member.isNew = true;
        if (group.is(GroupState.PREPARING_REBALANCE) && group.previousState() == GroupState.EMPTY) {
            group.newMemberAdded = true;
        }
        group.add(member, join.reply);
        // It cannot send heartbeats before it knows its id, so its session is not counted; but if its client is gone
        // the
        // group must not wait for ever.
        rebalancer.startSession(group, member, context.settings().newMemberJoinTimeoutMs());
        rebalancer.onMembersChanged(group, "new member " + id + " joins: " + join.reason(), join.outcome);
    }

    /** A static member is back, with no memory of its id: it gets a new one and its old place (KIP-345). */
    private void replaceStatic(ClassicGroup group, Member old, String newId, Join join) {
        @Nullable String oldLeader = group.leader();
        Member fresh = old.withId(newId, context.timers().create());
        group.replaceStatic(old, fresh, join.outcome);
        boolean stable = group.is(GroupState.STABLE);
        Member.Subscription before =
                new Member.Subscription(old.protocolType, old.protocols, old.rebalanceTimeoutMs, old.sessionTimeoutMs);
        group.update(fresh, join.subscription(), stable ? null : join.reply, join.outcome);
        rebalancer.startSession(group, fresh);
        if (!stable) {
            // While the assignment is being made the leader may have the old id in hand: everybody joins again.
            rebalancer.onMembersChanged(group, "static member " + newId + " is back: " + join.reason(), join.outcome);
        } else if (group.selectProtocol().equals(group.protocol())) {
            keepGeneration(group, new Replacement(old, fresh, before, oldLeader), join);
        } else {
            group.update(fresh, join.subscription(), join.reply, join.outcome);
            rebalancer.prepare(group, "static member " + newId + " changes the protocol", join.outcome);
        }
    }

    /** What took whose place; for the answer, and for the way back. */
    private record Replacement(
            Member old,
            Member fresh,
            Member.Subscription before,
            @Nullable String oldLeader) {}

    /** Nothing changes for the others, so there is no rebalance; the new id must be in the log before it is told. */
    private void keepGeneration(ClassicGroup group, Replacement replacement, Join join) {
        Map<String, byte[]> assignments = new HashMap<>();
        group.members().forEach(member -> assignments.put(member.id, member.assignment));
        join.outcome.append(GroupRecords.generation(group, assignments));
        join.outcome.ifApplied(() -> join.answer(keptPlace(group, replacement, join.client.version())));
        join.outcome.ifRefused(error -> undo(group, replacement, join, error));
    }

    private static JoinGroupResponseData keptPlace(ClassicGroup group, Replacement replacement, short version) {
        String id = replacement.fresh.id;
        JoinGroupResponseData response = Rebalancer.joined(group, replacement.fresh);
        if (JoinGroupRequest.supportsSkippingAssignment(version)) {
            return response.setSkipAssignment(group.isLeader(id)); // KIP-814
        }
        // An older client that hears it leads would assign: it is told the id that it no longer has.
        return response.setLeader(replacement.oldLeader).setMembers(List.of());
    }

    private void undo(ClassicGroup group, Replacement replacement, Join join, ApiException error) {
        Member old =
                replacement.fresh.withId(replacement.old.id, context.timers().create());
        group.replaceStatic(replacement.fresh, old, join.outcome);
        group.update(old, replacement.before, null, join.outcome);
        rebalancer.startSession(group, old);
        join.answer(error("", CoordinatorErrors.ofAppend(Errors.forException(error)))
                .setGenerationId(group.generation())
                .setProtocolType(group.protocolType())
                .setProtocolName(group.protocol())
                .setLeader(replacement.oldLeader));
    }

    // ---- known members

    private void onKnownMember(ClassicGroup group, Join join) {
        String memberId = join.request.memberId();
        if (group.isPendingJoin(memberId)) {
            if (join.request.groupInstanceId() != null) {
                join.refuse(memberId, Errors.UNKNOWN_MEMBER_ID); // the id was given to a dynamic member
            } else {
                addMember(group, memberId, join);
            }
            return;
        }
        Member member;
        try {
            member = group.validated(memberId, join.request.groupInstanceId());
        } catch (ApiException e) {
            join.refuse(memberId, Errors.forException(e));
            return;
        }
        switch (group.state()) {
            case PREPARING_REBALANCE -> rejoin(group, member, join);
            case COMPLETING_REBALANCE -> {
                if (member.hasSame(join.request.protocols())) {
                    join.answer(Rebalancer.joined(group, member)); // it has missed the answer
                } else {
                    rejoin(group, member, join);
                }
            }
            case STABLE -> {
                // The leader joins again when what it assigns has changed (topics), though its own metadata has not.
                if (group.isLeader(memberId) || !member.hasSame(join.request.protocols())) {
                    rejoin(group, member, join);
                } else {
                    join.answer(Rebalancer.joined(group, member));
                }
            }
            case EMPTY, DEAD -> join.refuse(memberId, Errors.UNKNOWN_MEMBER_ID);
        }
    }

    private void rejoin(ClassicGroup group, Member member, Join join) {
        group.update(member, join.subscription(), join.reply, join.outcome);
        rebalancer.onMembersChanged(group, "member " + member.id + " joins again: " + join.reason(), join.outcome);
    }
}
