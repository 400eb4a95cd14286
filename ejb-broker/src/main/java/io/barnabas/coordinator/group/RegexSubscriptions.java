package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import io.barnabas.coordinator.group.consumer.ResolvedRegex;
import io.barnabas.coordinator.group.consumer.Subscriptions;
import io.barnabas.coordinator.group.consumer.TopicPatterns;
import io.barnabas.metadata.MetadataImage;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Subscriptions by pattern: matched against the topics on a worker, one run at a time for a group and not more often than every ten
 * seconds, whenever a pattern is new, topics have been made or the last run is long ago. Confined to the shard's serial executor.
 */
final class RegexSubscriptions {
    private static final Logger LOG = LoggerFactory.getLogger(RegexSubscriptions.class);
    private static final long MIN_INTERVAL_MS = 10_000;
    private static final long REFRESH_INTERVAL_MS = Integer.MAX_VALUE;

    private final ShardContext context;
    private final Set<String> running = new HashSet<>(); // groups
    private long newTopicsAt; // index of the metadata in which topics were last made

    RegexSubscriptions(ShardContext context) {
        this.context = context;
        this.newTopicsAt = context.consumers().image().get().index();
    }

    /** What a member's new pattern means for the group. */
    enum Effect {
        NONE,
        /** It has changed; what it matches is not known yet. */
        CHANGED,
        CHANGED_AND_RESOLVED
    }

    /** Topics have been made. */
    void onTopicsCreated(long index) {
        newTopicsAt = Math.max(newTopicsAt, index);
    }

    /**
     * A member says what it is subscribed to.
     *
     * @param after the group's subscriptions with that in them
     * @throws org.apache.kafka.common.errors.InvalidRegularExpression its pattern is none
     */
    Effect onMember(
            ConsumerGroup group, ConsumerMember before, ConsumerMember said, Subscriptions after, Outcome outcome) {
        String old = before.profile().topicRegex();
        String now = said.profile().topicRegex();
        Effect effect = Effect.NONE;
        if (!old.equals(now)) {
            if (!old.isEmpty() && after.membersOf(old) == 0) {
                outcome.append(ConsumerRecords.regexTombstone(group.id(), old));
            }
            if (!now.isEmpty() && group.subscriptions().membersOf(now) == 0) {
                TopicPatterns.validate(now);
            }
            boolean known = now.isEmpty() || after.resolved(now) != null;
            effect = known ? Effect.CHANGED_AND_RESOLVED : Effect.CHANGED;
        }
        if (!after.regexes().isEmpty() && isDue(group, after)) {
            resolve(group.id(), Set.copyOf(after.regexes()));
        }
        return effect;
    }

    private boolean isDue(ConsumerGroup group, Subscriptions after) {
        if (running.contains(group.id())) {
            return false;
        }
        boolean unresolved = !after.resolved().keySet().containsAll(after.regexes());
        if (group.subscriptions().resolved().isEmpty()) {
            return unresolved;
        }
        // all are resolved together: any of them tells when
        ResolvedRegex last =
                group.subscriptions().resolved().values().iterator().next();
        long nowMs = context.nowMs();
        return nowMs > last.timestampMs() + MIN_INTERVAL_MS
                && (unresolved
                        || last.version() < newTopicsAt
                        || nowMs
                                > last.timestampMs()
                                        + context.consumers().settings().get().regexRefreshIntervalMs());
    }

    private void resolve(String groupId, Set<String> regexes) {
        running.add(groupId);
        MetadataImage image = context.consumers().image().get();
        long nowMs = context.nowMs();
        context.consumers()
                .background()
                .run(
                        () -> resolved(groupId, regexes, image, nowMs),
                        (shard, resolved, outcome) -> shard.regexes.onResolved(groupId, resolved, outcome));
    }

    private static Map<String, ResolvedRegex> resolved(
            String groupId, Set<String> regexes, MetadataImage image, long nowMs) {
        try {
            return TopicPatterns.resolve(regexes, image, nowMs);
        } catch (RuntimeException e) { // the next run must not wait for this one
            LOG.error("patterns could not be matched; group={}", groupId, e);
            return Map.of();
        }
    }

    private void onResolved(String groupId, Map<String, ResolvedRegex> resolved, Outcome outcome) {
        running.remove(groupId);
        @Nullable ConsumerGroup group = context.groups().consumer(groupId);
        if (group == null) {
            return;
        }
        Subscriptions after = group.subscriptions().copy();
        boolean changed = false;
        for (Map.Entry<String, ResolvedRegex> one : resolved.entrySet()) {
            if (after.membersOf(one.getKey()) > 0) {
                @Nullable ResolvedRegex before = after.resolved(one.getKey());
                Set<String> known = before == null ? Set.of() : before.topics();
                changed |= !known.equals(one.getValue().topics());
                after.resolve(one.getKey(), one.getValue());
                outcome.append(ConsumerRecords.regex(groupId, one.getKey(), one.getValue()));
            }
        }
        long hash = context.consumers()
                .hashes()
                .of(after.topics(), context.consumers().image().get());
        if (changed || hash != group.metadataHash()) {
            int epoch = group.epoch() + 1;
            outcome.append(ConsumerRecords.epoch(groupId, epoch, hash));
            group.refreshed(context.nowMs() + REFRESH_INTERVAL_MS, epoch);
            LOG.info("patterns matched anew; group={} epoch={} patterns={}", groupId, epoch, resolved.size());
        }
    }
}
