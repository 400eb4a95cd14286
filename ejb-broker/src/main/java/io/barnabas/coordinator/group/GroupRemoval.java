package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * What goes away: groups on DeleteGroups, offsets by time (KIP-211), offsets of deleted topics; all by tombstones. Confined to the
 * shard's serial executor.
 */
final class GroupRemoval {
    private final ShardContext context;

    GroupRemoval(ShardContext context) {
        this.context = context;
    }

    /** Groups are deleted each for itself: one that cannot be does not keep the others. */
    List<DeletableGroupResult> delete(Collection<String> groupIds, Outcome outcome) {
        List<DeletableGroupResult> results = new ArrayList<>();
        for (String groupId : groupIds) {
            Errors error = mayDelete(groupId);
            if (error == Errors.NONE) {
                deleteOffsets(groupId, outcome);
                @Nullable ConsumerGroup consumer = context.groups().consumer(groupId);
                if (consumer == null) {
                    outcome.append(GroupRecords.groupTombstone(groupId));
                } else {
                    ConsumerRecords.groupTombstones(consumer, List.of()).forEach(outcome::append);
                }
            }
            results.add(new DeletableGroupResult().setGroupId(groupId).setErrorCode(error.code()));
        }
        return results;
    }

    private Errors mayDelete(String groupId) {
        @Nullable ClassicGroup group = context.groups().find(groupId);
        if (group != null) {
            return group.is(GroupState.EMPTY) ? Errors.NONE : Errors.NON_EMPTY_GROUP;
        }
        @Nullable ConsumerGroup consumer = context.groups().consumer(groupId);
        if (consumer != null) {
            return consumer.isEmpty() ? Errors.NONE : Errors.NON_EMPTY_GROUP;
        }
        // the records of a group of another type are not known well enough to delete them all
        return context.groups().isForeign(groupId) ? Errors.NON_EMPTY_GROUP : Errors.GROUP_ID_NOT_FOUND;
    }

    private void deleteOffsets(String groupId, Outcome outcome) {
        var committed = context.offsets().committed();
        committed.topics(groupId).forEach((topic, partitions) -> partitions
                .keySet()
                .forEach(partition -> outcome.append(GroupRecords.offsetTombstone(groupId, topic, partition))));
        context.offsets()
                .openTransactions(groupId)
                .forEach((topic, partitions) -> partitions.keySet().forEach(partition -> {
                    if (committed.get(groupId, topic, partition) == null) {
                        outcome.append(GroupRecords.offsetTombstone(groupId, topic, partition));
                    }
                }));
    }

    /** The offsets whose time is over, and the groups that nothing is left of. */
    void expire(Outcome outcome) {
        if (!context.knowsTime()) {
            return;
        }
        outcome.divisible();
        long nowMs = context.nowMs();
        for (ClassicGroup group : List.copyOf(context.groups().all())) {
            boolean nothingLeft = expireOffsets(
                    group.id(), group::isSubscribedTo, offset -> isExpired(group, offset, nowMs), outcome);
            if (nothingLeft && group.is(GroupState.EMPTY) && !group.hasPendingJoins()) {
                outcome.append(GroupRecords.groupTombstone(group.id()));
            }
        }
        for (ConsumerGroup group : List.copyOf(context.groups().consumers())) {
            boolean nothingLeft = expireOffsets(
                    group.id(),
                    group.subscriptions()::has,
                    offset -> isExpired(offset, offset.commitTimestampMs(), nowMs),
                    outcome);
            if (nothingLeft && group.isEmpty()) {
                ConsumerRecords.groupTombstones(group, List.of()).forEach(outcome::append);
            }
        }
    }

    /** Whether no offset, committed or undecided, remains. */
    private boolean expireOffsets(
            String groupId, Predicate<String> subscribed, Predicate<CommittedOffset> expired, Outcome outcome) {
        Map<String, Map<Integer, CommittedOffset>> topics =
                context.offsets().committed().topics(groupId);
        boolean nothingLeft = !context.offsets().hasOpenTransactions(groupId);
        for (Map.Entry<String, Map<Integer, CommittedOffset>> topic : topics.entrySet()) {
            boolean kept = subscribed.test(topic.getKey());
            for (Map.Entry<Integer, CommittedOffset> partition :
                    topic.getValue().entrySet()) {
                if (!kept
                        && expired.test(partition.getValue())
                        && !context.offsets().isUnstable(groupId, topic.getKey(), partition.getKey())) {
                    outcome.append(GroupRecords.offsetTombstone(groupId, topic.getKey(), partition.getKey()));
                } else {
                    nothingLeft = false;
                }
            }
        }
        return nothingLeft;
    }

    /**
     * KIP-211: a group that had members keeps its offsets for the retention time from when the last one left; a group with members loses
     * those of topics it is no longer subscribed to; offsets without a group live from their commit on.
     */
    private boolean isExpired(ClassicGroup group, CommittedOffset offset, long nowMs) {
        long fromMs;
        if (group.protocolType() == null) {
            fromMs = offset.commitTimestampMs();
        } else if (group.is(GroupState.EMPTY)) {
            boolean known = group.stateTimestampMs() != CommittedOffset.NO_TIMESTAMP;
            fromMs = known ? group.stateTimestampMs() : offset.commitTimestampMs();
        } else if (group.is(GroupState.STABLE) && group.usesConsumerProtocol() && group.knowsSubscribedTopics()) {
            fromMs = offset.commitTimestampMs();
        } else {
            return false;
        }
        return isExpired(offset, fromMs, nowMs);
    }

    private boolean isExpired(CommittedOffset offset, long fromMs, long nowMs) {
        return offset.expireTimestampMs() != CommittedOffset.NO_TIMESTAMP
                ? nowMs >= offset.expireTimestampMs()
                : nowMs - fromMs >= context.settings().offsetsRetentionMs();
    }

    /** @param topics ids by name; an offset of another topic of the same name stays */
    void onTopicsDeleted(Map<String, Uuid> topics, Outcome outcome) {
        outcome.divisible();
        Set<OffsetStore.GroupPartition> gone = new HashSet<>();
        topics.forEach((name, id) -> context.offsets().forEachOf(name, (group, topic, partition, offset) -> {
            if (offset.isOf(id)) {
                gone.add(new OffsetStore.GroupPartition(group, topic, partition));
            }
        }));
        gone.forEach(
                where -> outcome.append(GroupRecords.offsetTombstone(where.group(), where.topic(), where.partition())));
    }
}
