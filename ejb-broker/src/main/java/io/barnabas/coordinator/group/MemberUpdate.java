package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.Assignor;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import io.barnabas.coordinator.group.consumer.CurrentAssignment;
import io.barnabas.coordinator.group.consumer.Reconciliation;
import io.barnabas.coordinator.group.consumer.Subscriptions;
import io.barnabas.coordinator.group.consumer.TargetAssignment;
import io.barnabas.metadata.MetadataImage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What follows from what a member says, whichever protocol it says it by: a change makes a new group epoch, a new group epoch a new
 * target assignment (not more often than the assignment interval allows), and the member takes its next step towards its target. Comes
 * after the checks of the handlers; everything it decides goes into the outcome. Confined to the shard's serial executor.
 */
final class MemberUpdate {
    private static final Logger LOG = LoggerFactory.getLogger(MemberUpdate.class);
    /** A look at the metadata holds until they change, which is told; this is Kafka's upper bound. */
    private static final long REFRESH_INTERVAL_MS = Integer.MAX_VALUE;

    private final ShardContext context;
    private final ConsumerSessions sessions;
    private final RegexSubscriptions regexes;

    MemberUpdate(ShardContext context, ConsumerSessions sessions, RegexSubscriptions regexes) {
        this.context = context;
        this.sessions = sessions;
        this.regexes = regexes;
    }

    /** What a member is on its way to. */
    private record Target(int epoch, Map<Uuid, Set<Integer>> partitions) {}

    /**
     * Takes the member on.
     *
     * @param before as the group has it; fresh if it has just come
     * @param said the same with what it says now
     * @param owned what it says it has; null if it did not say
     * @return the member as it will be
     */
    ConsumerMember apply(
            ConsumerGroup group,
            ConsumerMember before,
            ConsumerMember said,
            @Nullable List<TopicPartitions> owned,
            Outcome outcome) {
        Change change = change(group, before, said, outcome);
        Target target = target(group, before, said, change, outcome);
        return reconcile(group, said, target, new Owned(owned, change), outcome);
    }

    /**
     * The same for a member whose joining ends the group's time as a consumer group: a target that is out of date stays so, for the
     * members will assign among themselves.
     *
     * @return the member as it will be, and whether they must
     */
    Ending applyLast(
            ConsumerGroup group,
            ConsumerMember before,
            ConsumerMember said,
            @Nullable List<TopicPartitions> owned,
            Outcome outcome) {
        Change change = change(group, before, said, outcome);
        if (group.targetEpoch() < change.epoch) {
            return new Ending(said, true);
        }
        return new Ending(reconcile(group, said, last(group, said), new Owned(owned, change), outcome), false);
    }

    /** What {@link #applyLast} comes to. */
    record Ending(ConsumerMember member, boolean rebalance) {}

    /** What the group comes to by what a member says. */
    private record Change(int epoch, Subscriptions subscriptions, boolean subscriptionChanged) {}

    private Change change(ConsumerGroup group, ConsumerMember before, ConsumerMember said, Outcome outcome) {
        if (!said.equals(before)) {
            outcome.append(ConsumerRecords.member(group.id(), said));
        }
        Subscriptions subscriptions = subscriptions(group, before, said);
        boolean namesChanged =
                !said.profile().topicNames().equals(before.profile().topicNames());
        RegexSubscriptions.Effect regex = regexes.onMember(group, before, said, subscriptions, outcome);
        boolean bump = namesChanged
                || regex == RegexSubscriptions.Effect.CHANGED_AND_RESOLVED
                || !preferred(group, null, null).equals(preferred(group, before, said));
        return new Change(
                epoch(group, subscriptions, bump, outcome),
                subscriptions,
                namesChanged || regex != RegexSubscriptions.Effect.NONE);
    }

    private static Subscriptions subscriptions(ConsumerGroup group, ConsumerMember before, ConsumerMember said) {
        boolean known = group.member(before.id()) != null
                || group.staticMember(said.profile().instanceId()) != null;
        if (known
                && before.profile().equals(said.profile())
                && group.subscriptions().resolved().isEmpty()) {
            return group.subscriptions(); // as with nearly every heartbeat
        }
        Subscriptions subscriptions = group.subscriptions().copy();
        subscriptions.replace(known ? before.profile() : null, said.profile());
        subscriptions.dropUnheld();
        return subscriptions;
    }

    private Assignor preferred(ConsumerGroup group, @Nullable ConsumerMember before, @Nullable ConsumerMember said) {
        List<Assignor> assignors = context.consumers().settings().get().assignors();
        @Nullable String name = group.preferredAssignor(before, said);
        // one that was configured away is no longer preferred
        return assignors.stream()
                .filter(assignor -> assignor.name().equals(name))
                .findFirst()
                .orElse(assignors.get(0));
    }

    /** The group's epoch after this: a new one if the group has changed, or the metadata of its topics have. */
    private int epoch(ConsumerGroup group, Subscriptions subscriptions, boolean changed, Outcome outcome) {
        if (!changed && !group.needsRefresh(context.nowMs())) {
            return group.epoch();
        }
        long hash = context.consumers()
                .hashes()
                .of(subscriptions.topics(), context.consumers().image().get());
        int epoch = group.epoch();
        if (changed || hash != group.metadataHash()) {
            epoch++;
            outcome.append(ConsumerRecords.epoch(group.id(), epoch, hash));
            LOG.info("group epoch bumped; group={} epoch={} metadataHash={}", group.id(), epoch, hash);
        }
        group.refreshed(context.nowMs() + REFRESH_INTERVAL_MS, epoch);
        if (group.hasPartitionMetadata()) {
            outcome.append(ConsumerRecords.partitionMetadataTombstone(group.id()));
        }
        return epoch;
    }

    private Target target(
            ConsumerGroup group, ConsumerMember before, ConsumerMember said, Change change, Outcome outcome) {
        if (group.targetEpoch() >= change.epoch || !mayAssign(group)) {
            return last(group, said);
        }
        MetadataImage image = context.consumers().image().get();
        Assignor assignor = preferred(group, before, said);
        TargetAssignment.Result result =
                new TargetAssignment(group, said, change.subscriptions, image).compute(assignor);
        result.records().forEach(outcome::append);
        outcome.append(ConsumerRecords.targetEpoch(group.id(), change.epoch, context.nowMs()));
        LOG.info(
                "target assignment computed; group={} epoch={} assignor={} changedMembers={}",
                group.id(),
                change.epoch,
                assignor.name(),
                result.records().size());
        return new Target(change.epoch, result.ofUpdated());
    }

    private static Target last(ConsumerGroup group, ConsumerMember said) {
        @Nullable String instanceId = said.profile().instanceId();
        @Nullable ConsumerMember holder = instanceId == null ? group.member(said.id()) : group.staticMember(instanceId);
        return new Target(group.targetEpoch(), holder == null ? Map.of() : group.target(holder.id()));
    }

    /** Members that come one after the other are assigned to together (KIP-1263). */
    private boolean mayAssign(ConsumerGroup group) {
        int intervalMs = context.consumers().settings().get().times().assignmentIntervalMs(group.id());
        return group.targetTimestampMs() == 0
                || intervalMs == 0
                || context.nowMs() >= group.targetTimestampMs() + intervalMs;
    }

    /** What the member has by its own account, and what it has changed. */
    private record Owned(@Nullable List<TopicPartitions> partitions, Change change) {}

    private ConsumerMember reconcile(
            ConsumerGroup group, ConsumerMember said, Target target, Owned owned, Outcome outcome) {
        boolean changed = owned.change.subscriptionChanged;
        if (!changed && said.current().isReconciledTo(target.epoch)) {
            return said;
        }
        Set<Uuid> topics = TargetAssignment.topicIds(
                owned.change.subscriptions.topicsOf(said.profile()),
                context.consumers().image().get());
        CurrentAssignment next = new Reconciliation(group, target.epoch, target.partitions, topics, owned.partitions)
                .next(said.current(), changed);
        if (next.equals(said.current())) {
            return said;
        }
        ConsumerMember after = said.with(next);
        outcome.append(ConsumerRecords.current(group.id(), after));
        sessions.onReconciled(group.id(), after);
        return after;
    }
}
