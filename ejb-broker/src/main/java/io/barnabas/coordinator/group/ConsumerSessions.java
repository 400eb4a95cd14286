package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import io.barnabas.coordinator.group.consumer.MemberState;
import io.barnabas.coordinator.group.consumer.Subscriptions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The times of consumer groups' members, and the end of those who let them run out: a session, the time to give partitions up, and for
 * members of the classic protocol the time to join again and to sync. Timers go with their member when its end is replayed. Confined to
 * the shard's serial executor.
 */
final class ConsumerSessions {
    private static final Logger LOG = LoggerFactory.getLogger(ConsumerSessions.class);
    /** An end that could not be written is tried again after this. */
    private static final int RETRY_MS = 500;

    private final ShardContext context;
    private final GroupMigration migration;
    private final Map<String, Map<String, Timers>> timers = new HashMap<>(); // by group and member

    ConsumerSessions(ShardContext context, GroupMigration migration) {
        this.context = context;
        this.migration = migration;
    }

    private record Timers(ShardTimer session, ShardTimer rebalance, ShardTimer join, ShardTimer sync) {
        void cancel() {
            session.cancel();
            rebalance.cancel();
            join.cancel();
            sync.cancel();
        }
    }

    private Timers of(String groupId, String memberId) {
        ShardTimer.Source source = context.timers();
        return timers.computeIfAbsent(groupId, g -> new HashMap<>())
                .computeIfAbsent(
                        memberId, m -> new Timers(source.create(), source.create(), source.create(), source.create()));
    }

    /** A member is gone. */
    void drop(String groupId, String memberId) {
        @Nullable Map<String, Timers> ofGroup = timers.get(groupId);
        @Nullable Timers dropped = ofGroup == null ? null : ofGroup.remove(memberId);
        if (dropped != null) {
            dropped.cancel();
        }
        if (ofGroup != null && ofGroup.isEmpty()) {
            timers.remove(groupId);
        }
    }

    /** The shard is gone. */
    void dropAll() {
        timers.values().forEach(members -> members.values().forEach(Timers::cancel));
        timers.clear();
    }

    /** A group has been loaded: its members have their time to be heard of. */
    void onLoaded(ConsumerGroup group) {
        int sessionMs = context.consumers().settings().get().times().sessionTimeoutMs(group.id());
        for (ConsumerMember member : group.members()) {
            start(group.id(), member.id(), sessionMs);
            if (member.current().state() == MemberState.UNREVOKED_PARTITIONS
                    && !member.profile().isClassic()) {
                onReconciled(group.id(), member);
            }
        }
    }

    /** The member has been heard of. */
    void start(String groupId, String memberId, int sessionMs) {
        ShardTimer session = of(groupId, memberId).session;
        session.start(sessionMs, expiry(session, groupId, memberId, "its session expired"));
    }

    /** A member of the classic protocol, which has a session time-out of its own, has been heard of. */
    void startClassic(String groupId, ConsumerMember member) {
        if (member.profile().classic() != null) {
            start(groupId, member.id(), member.profile().classic().sessionTimeoutMs());
        }
    }

    /** The member has a new assignment: what it is to give up it must give up in time. Of the classic ones it joins again. */
    void onReconciled(String groupId, ConsumerMember member) {
        if (member.profile().isClassic()) {
            return;
        }
        ShardTimer rebalance = of(groupId, member.id()).rebalance;
        if (member.current().state() == MemberState.UNREVOKED_PARTITIONS) {
            startRebalance(rebalance, groupId, member, member.profile().rebalanceTimeoutMs());
        } else {
            rebalance.cancel();
        }
    }

    private void startRebalance(ShardTimer rebalance, String groupId, ConsumerMember member, int delayMs) {
        rebalance.start(delayMs, outcome -> {
            @Nullable ConsumerMember present = present(groupId, member.id());
            if (present != null && present.epoch() == member.epoch()) {
                startRebalance(rebalance, groupId, member, RETRY_MS);
                expire(groupId, member.id(), "it did not give partitions up in time", outcome);
            }
        });
    }

    /** A member of the classic protocol is called to join again. */
    void startJoin(String groupId, ConsumerMember member) {
        ShardTimer join = of(groupId, member.id()).join;
        if (!join.isRunning()) {
            join.start(
                    member.profile().rebalanceTimeoutMs(),
                    expiry(join, groupId, member.id(), "it did not join again in time"));
        }
    }

    /** It has joined: now it is to sync. */
    void onJoined(String groupId, String memberId, int rebalanceTimeoutMs) {
        Timers of = of(groupId, memberId);
        of.join.cancel();
        of.sync.start(rebalanceTimeoutMs, expiry(of.sync, groupId, memberId, "it did not sync in time"));
    }

    void onSynced(String groupId, String memberId) {
        of(groupId, memberId).sync.cancel();
    }

    /** The end of a member, which is tried again until it is in the log: its replay drops the timer. */
    private Consumer<Outcome> expiry(ShardTimer timer, String groupId, String memberId, String reason) {
        return outcome -> {
            timer.start(RETRY_MS, expiry(timer, groupId, memberId, reason));
            expire(groupId, memberId, reason, outcome);
        };
    }

    private @Nullable ConsumerMember present(String groupId, String memberId) {
        @Nullable ConsumerGroup group = context.groups().consumer(groupId);
        return group == null ? null : group.member(memberId);
    }

    private void expire(String groupId, String memberId, String reason, Outcome outcome) {
        @Nullable ConsumerGroup group = context.groups().consumer(groupId);
        @Nullable ConsumerMember member = present(groupId, memberId);
        if (group == null || member == null) {
            drop(groupId, memberId); // its join was never written
            return;
        }
        LOG.info("member fenced; group={} member={} reason={}", groupId, memberId, reason);
        fence(group, Set.of(member), outcome);
    }

    /** Members go. If only members of the classic protocol are left, and policy allows it, the group becomes a classic one. */
    void fence(ConsumerGroup group, Set<ConsumerMember> gone, Outcome outcome) {
        if (gone.isEmpty() || migration.maybeToClassic(group, gone, outcome)) {
            return;
        }
        Subscriptions subscriptions = group.subscriptions().copy();
        for (ConsumerMember member : gone) {
            ConsumerRecords.memberTombstones(group.id(), member.id()).forEach(outcome::append);
            subscriptions.replace(member.profile(), null);
        }
        Set<String> regexes = new HashSet<>(group.subscriptions().resolved().keySet());
        regexes.removeAll(subscriptions.regexes());
        regexes.forEach(regex -> outcome.append(ConsumerRecords.regexTombstone(group.id(), regex)));
        subscriptions.dropUnheld();
        long hash = context.consumers()
                .hashes()
                .of(subscriptions.topics(), context.consumers().image().get());
        int epoch = group.epoch() + 1;
        outcome.append(ConsumerRecords.epoch(group.id(), epoch, hash));
        LOG.info("group epoch bumped; group={} epoch={} metadataHash={}", group.id(), epoch, hash);
        if (gone.size() == group.size()) {
            // there is nothing to assign to; the next who comes need not wait for the interval
            outcome.append(ConsumerRecords.targetEpoch(group.id(), epoch, 0));
        }
    }
}
