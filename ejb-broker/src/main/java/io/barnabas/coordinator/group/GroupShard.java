package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.coordinator.CoordinatorShard;
import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.Subscriptions;
import io.barnabas.time.Clock;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.apache.kafka.coordinator.group.generated.GroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.LegacyOffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.LegacyOffsetCommitValue;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.apache.kafka.coordinator.group.generated.ShareGroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.StreamsGroupMetadataKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition of {@code __consumer_offsets}: its groups and their offsets, with the handlers that decide on them. Replay is here, in
 * one place, for a start and for a running broker alike.
 *
 * <p>Confined to the serial executor of the partition; while loading, to one worker.
 */
final class GroupShard implements CoordinatorShard {
    private static final Logger LOG = LoggerFactory.getLogger(GroupShard.class);

    final JoinHandler join;
    final SyncHandler sync;
    final HeartbeatHandler heartbeat;
    final LeaveHandler leave;
    final OffsetCommitHandler commit;
    final TransactionalCommitHandler transactionalCommit;
    final OffsetFetchHandler fetch;
    final OffsetDeleteHandler offsetDelete;
    final GroupRemoval removal;
    final GroupQueries queries;
    final ConsumerHeartbeatHandler consumerHeartbeat;
    final RegexSubscriptions regexes;

    private final ShardContext context;
    private final Rebalancer rebalancer;
    private final ConsumerSessions sessions;
    private final ConsumerReplay consumerReplay;
    private final ShardTimer expiry;

    GroupShard(
            GroupCoordinatorSettings settings,
            ConsumerContext consumers,
            Clock clock,
            UnaryOperator<String> memberIds,
            ShardTimer.Source timers) {
        Groups groups = new Groups(timers, clock::wallMillis);
        this.context = new ShardContext(settings, clock, timers, memberIds, groups, new OffsetStore(), consumers);
        this.rebalancer = new Rebalancer(context);
        this.expiry = timers.create();
        GroupMigration migration = new GroupMigration(context, rebalancer);
        this.sessions = new ConsumerSessions(context, migration);
        this.consumerReplay = new ConsumerReplay(groups, sessions);
        this.regexes = new RegexSubscriptions(context);
        ConsumerMembers members = new ConsumerMembers(context, migration, sessions);
        MemberUpdate update = new MemberUpdate(context, sessions, regexes);
        this.consumerHeartbeat = new ConsumerHeartbeatHandler(context, members, sessions, update);
        ClassicMembers classic = new ClassicMembers(context, members, sessions, update, migration);
        this.join = new JoinHandler(context, rebalancer, classic);
        this.sync = new SyncHandler(context, rebalancer, classic);
        this.heartbeat = new HeartbeatHandler(context, rebalancer, classic);
        this.leave = new LeaveHandler(context, rebalancer, classic);
        this.commit = new OffsetCommitHandler(context, rebalancer);
        this.transactionalCommit = new TransactionalCommitHandler(context, commit);
        this.fetch = new OffsetFetchHandler(context);
        this.offsetDelete = new OffsetDeleteHandler(context);
        this.removal = new GroupRemoval(context);
        this.queries = new GroupQueries(context);
    }

    Groups groups() {
        return context.groups();
    }

    OffsetStore offsets() {
        return context.offsets();
    }

    @Override
    public void replay(long offset, long producerId, CoordinatorRecord record) {
        ApiMessage key = record.key();
        @Nullable ApiMessage value = record.value();
        switch (CoordinatorRecordType.fromId(key.apiKey())) {
            case OFFSET_COMMIT -> {
                OffsetCommitKey of = (OffsetCommitKey) key;
                var where = new OffsetStore.GroupPartition(of.group(), of.topic(), of.partition());
                replayCommit(offset, producerId, where, (OffsetCommitValue) value);
            }
            case LEGACY_OFFSET_COMMIT -> {
                LegacyOffsetCommitKey of = (LegacyOffsetCommitKey) key;
                var where = new OffsetStore.GroupPartition(of.group(), of.topic(), of.partition());
                replayCommit(offset, producerId, where, modern((LegacyOffsetCommitValue) value));
            }
            case GROUP_METADATA ->
                context.groups().replay(((GroupMetadataKey) key).group(), (GroupMetadataValue) value);
            case SHARE_GROUP_METADATA ->
                context.groups().replayForeign(((ShareGroupMetadataKey) key).groupId(), "share", value != null);
            case STREAMS_GROUP_METADATA ->
                context.groups().replayForeign(((StreamsGroupMetadataKey) key).groupId(), "streams", value != null);
            default -> consumerReplay.replay(record);
        }
    }

    private void replayCommit(
            long offset, long producerId, OffsetStore.GroupPartition where, @Nullable OffsetCommitValue value) {
        if (value != null) {
            context.groups().replayCommit(where.group());
        }
        context.offsets().replay(offset, producerId, where, value);
    }

    private static @Nullable OffsetCommitValue modern(@Nullable LegacyOffsetCommitValue old) {
        return old == null
                ? null
                : new OffsetCommitValue()
                        .setOffset(old.offset())
                        .setMetadata(old.metadata())
                        .setCommitTimestamp(old.commitTimestamp());
    }

    @Override
    public void replayMarker(long producerId, boolean committed) {
        context.offsets().replayMarker(producerId, committed);
    }

    @Override
    public void onLoaded(Outcome outcome) {
        context.groups().goLive();
        for (ClassicGroup group : context.groups().all()) {
            group.members().forEach(member -> rebalancer.startSession(group, member));
            if (group.members().size() > context.settings().maxSize()) {
                LOG.warn("group has more members than are allowed now; group={}", group.id());
                rebalancer.prepare(group, "it is over its maximum size", outcome);
            }
        }
        context.groups().consumers().forEach(sessions::onLoaded);
        scheduleExpiry();
    }

    /**
     * The cluster's topics have changed.
     *
     * @param created whether some are new
     * @param index of the metadata in which that is
     */
    void onTopicsChanged(Set<String> changed, Set<String> deleted, boolean created, long index) {
        context.consumers().hashes().onTopicsDeleted(deleted);
        if (created) {
            regexes.onTopicsCreated(index);
        }
        for (ConsumerGroup group : context.groups().consumers()) {
            Subscriptions of = group.subscriptions();
            if (changed.stream().anyMatch(of::has) || deleted.stream().anyMatch(of::has)) {
                group.requestRefresh();
            }
        }
    }

    private void scheduleExpiry() {
        expiry.start(context.settings().offsetsRetentionCheckIntervalMs(), outcome -> {
            scheduleExpiry(); // first: a failure must not be the last run
            removal.expire(outcome);
        });
    }

    @Override
    public void onUnloaded(Outcome outcome) {
        expiry.cancel();
        sessions.dropAll();
        short gone = Errors.NOT_COORDINATOR.code();
        for (ClassicGroup group : context.groups().all()) {
            for (Member member : group.members()) {
                group.answerJoin(
                        member,
                        new JoinGroupResponseData().setMemberId(member.id).setErrorCode(gone),
                        outcome);
                group.answerSync(member, new SyncGroupResponseData().setErrorCode(gone), outcome);
            }
            group.die(context.nowMs());
        }
    }
}
