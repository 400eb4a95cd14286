package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives classic groups through their rebalances: calls the members, waits for them, makes the generation, spreads its assignment, and
 * lets go of who does not answer. Requests reach it through the handlers, time through the timers it starts.
 *
 * <p>Confined to the shard's serial executor.
 */
final class Rebalancer {
    private static final Logger LOG = LoggerFactory.getLogger(Rebalancer.class);

    private final ShardContext context;

    Rebalancer(ShardContext context) {
        this.context = context;
    }

    /** Members have changed: begins a rebalance, or ends the one in progress if everybody is there. */
    void onMembersChanged(ClassicGroup group, String reason, Outcome outcome) {
        if (group.state().canTransitionTo(GroupState.PREPARING_REBALANCE)) {
            prepare(group, reason, outcome);
        } else {
            maybeCompleteJoin(group, outcome);
        }
    }

    /** Calls the members. A group without any waits for more of them first (KIP-134). */
    void prepare(ClassicGroup group, String reason, Outcome outcome) {
        if (group.is(GroupState.COMPLETING_REBALANCE)) {
            refuseSyncs(group, Errors.REBALANCE_IN_PROGRESS, outcome);
        }
        group.stopSyncing();
        boolean initial = group.is(GroupState.EMPTY);
        group.transitionTo(GroupState.PREPARING_REBALANCE, context.nowMs());
        LOG.info(
                "rebalance begins; group={} generation={} members={} reason={}",
                group.id(),
                group.generation(),
                group.members().size(),
                reason);
        if (initial) {
            int delayMs = context.settings().initialRebalanceDelayMs();
            group.newMemberAdded = false;
            waitForMore(group, delayMs, Math.max(group.rebalanceTimeoutMs() - delayMs, 0));
        } else if (group.allHaveJoined()) {
            completeJoin(group, outcome);
        } else {
            group.joinTimer.start(group.rebalanceTimeoutMs(), later -> completeJoin(group, later));
        }
    }

    private void waitForMore(ClassicGroup group, int delayMs, int remainingMs) {
        group.joinTimer.start(delayMs, outcome -> {
            if (group.newMemberAdded && remainingMs > 0) {
                group.newMemberAdded = false;
                int nextMs = Math.min(context.settings().initialRebalanceDelayMs(), remainingMs);
                waitForMore(group, nextMs, Math.max(remainingMs - nextMs, 0));
            } else {
                completeJoin(group, outcome);
            }
        });
    }

    /** Ends the calling if everybody is there; not within the initial delay. */
    void maybeCompleteJoin(ClassicGroup group, Outcome outcome) {
        if (group.is(GroupState.PREPARING_REBALANCE)
                && group.previousState() != GroupState.EMPTY
                && group.allHaveJoined()) {
            completeJoin(group, outcome);
        }
    }

    /** Makes the generation of those who have joined. Dynamic members who have not are gone; static ones have their session. */
    void completeJoin(ClassicGroup group, Outcome outcome) {
        group.joinTimer.cancel();
        if (!group.is(GroupState.PREPARING_REBALANCE)) {
            return;
        }
        for (Member member : List.copyOf(group.members())) {
            if (!member.isAwaitingJoin() && !member.isStatic()) {
                LOG.info("member did not join again; group={} member={}", group.id(), member.id);
                group.remove(member.id);
            }
        }
        if (!group.electJoinedLeader() && !group.members().isEmpty()) {
            // static members only, none of them here: their sessions decide
            group.joinTimer.start(group.rebalanceTimeoutMs(), later -> completeJoin(group, later));
            return;
        }
        group.nextGeneration(context.nowMs());
        if (group.is(GroupState.EMPTY)) {
            LOG.info("group is empty; group={} generation={}", group.id(), group.generation());
            // If this append fails the old generation comes back after a crash, and its sessions expire then.
            outcome.append(GroupRecords.generation(group, Map.of()));
        } else {
            announce(group, outcome);
        }
    }

    private void announce(ClassicGroup group, Outcome outcome) {
        LOG.info(
                "generation made; group={} generation={} members={} protocol={}",
                group.id(),
                group.generation(),
                group.members().size(),
                group.protocol());
        for (Member member : group.members()) {
            group.answerJoin(member, joined(group, member), outcome);
            startSession(group, member);
            member.isNew = false;
            group.addPendingSync(member.id);
        }
        int generation = group.generation();
        group.syncTimer.start(group.rebalanceTimeoutMs(), later -> onSyncTimeout(group, generation, later));
    }

    /** A member's place in the present generation. */
    static JoinGroupResponseData joined(ClassicGroup group, Member member) {
        return new JoinGroupResponseData()
                .setMemberId(member.id)
                .setGenerationId(group.generation())
                .setProtocolType(group.protocolType())
                .setProtocolName(group.protocol())
                .setLeader(group.leader())
                .setMembers(group.isLeader(member.id) ? group.membersForLeader() : List.of());
    }

    private void onSyncTimeout(ClassicGroup group, int generation, Outcome outcome) {
        boolean awaited = group.is(GroupState.COMPLETING_REBALANCE) || group.is(GroupState.STABLE);
        if (!awaited || generation != group.generation() || group.pendingSyncs().isEmpty()) {
            return;
        }
        List<String> silent = new ArrayList<>(group.pendingSyncs());
        for (String memberId : silent) {
            LOG.info("member did not sync; group={} member={}", group.id(), memberId);
            group.remove(memberId);
        }
        prepare(group, "members did not sync in time", outcome);
    }

    // ---- assignments

    /** The generation's assignment is in the log: whoever waited for it gets it. */
    void spreadAssignment(ClassicGroup group, Outcome outcome) {
        for (Member member : group.members()) {
            answerSync(group, member, synced(group, member), outcome);
        }
    }

    /** The assignment could not be written: members begin again. */
    void onAssignmentRefused(ClassicGroup group, Errors appendError, Outcome outcome) {
        Errors error = CoordinatorErrors.ofAppend(appendError);
        refuseSyncs(group, error, outcome);
        group.stopSyncing();
        // no records may follow a refused append: everybody is there to be called, so none do
        group.transitionTo(GroupState.PREPARING_REBALANCE, context.nowMs());
        group.joinTimer.start(group.rebalanceTimeoutMs(), later -> completeJoin(group, later));
    }

    /** What the generation before assigned is kept, as it is in the log: cooperative members still have it, should the group migrate. */
    private void refuseSyncs(ClassicGroup group, Errors error, Outcome outcome) {
        for (Member member : group.members()) {
            answerSync(group, member, new SyncGroupResponseData().setErrorCode(error.code()), outcome);
        }
    }

    private void answerSync(ClassicGroup group, Member member, SyncGroupResponseData response, Outcome outcome) {
        if (group.answerSync(member, response, outcome)) {
            startSession(group, member); // it may have run out, excused, while the member waited for us
        }
    }

    static SyncGroupResponseData synced(ClassicGroup group, Member member) {
        return new SyncGroupResponseData()
                .setProtocolType(group.protocolType())
                .setProtocolName(group.protocol())
                .setAssignment(member.assignment);
    }

    // ---- sessions

    /** The member has been heard of. */
    void startSession(ClassicGroup group, Member member) {
        startSession(group, member, member.sessionTimeoutMs);
    }

    void startSession(ClassicGroup group, Member member, int timeoutMs) {
        member.session.start(timeoutMs, outcome -> onSessionExpired(group, member, outcome));
    }

    private void onSessionExpired(ClassicGroup group, Member member, Outcome outcome) {
        if (group.member(member.id) != member || member.isExcusedFromHeartbeat()) {
            return;
        }
        LOG.info("session expired; group={} member={}", group.id(), member.id);
        removeMember(group, member, outcome);
        onMemberGone(group, "session of " + member.id + " expired", outcome);
    }

    void onPendingJoinExpired(ClassicGroup group, String memberId, Outcome outcome) {
        if (group.isPendingJoin(memberId)) {
            LOG.info("member never joined with its id; group={} member={}", group.id(), memberId);
            group.remove(memberId);
            completeJoinIfAllThere(group, outcome);
        }
    }

    /** Takes a member out; a join that waits is answered so that a living client comes back as a new member. */
    void removeMember(ClassicGroup group, Member member, Outcome outcome) {
        group.answerJoin(
                member,
                new JoinGroupResponseData().setMemberId("").setErrorCode(Errors.UNKNOWN_MEMBER_ID.code()),
                outcome);
        group.answerSync(member, new SyncGroupResponseData().setErrorCode(Errors.UNKNOWN_MEMBER_ID.code()), outcome);
        group.remove(member.id);
    }

    private void onMemberGone(ClassicGroup group, String reason, Outcome outcome) {
        if (group.is(GroupState.STABLE) || group.is(GroupState.COMPLETING_REBALANCE)) {
            prepare(group, reason, outcome);
        } else {
            completeJoinIfAllThere(group, outcome);
        }
    }

    private void completeJoinIfAllThere(ClassicGroup group, Outcome outcome) {
        if (group.is(GroupState.PREPARING_REBALANCE) && group.allHaveJoined()) {
            completeJoin(group, outcome);
        }
    }
}
