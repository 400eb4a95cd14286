package io.barnabas.coordinator.group.consumer;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicProtocol;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupRegularExpressionValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMetadataValue;
import org.jspecify.annotations.Nullable;

/**
 * A KIP-848 group as its records in the log make it: an epoch that grows with every change, the members, the target assignment that was
 * computed for some epoch, and what each member has on its way there. The methods named replay alone change it; {@link #requestRefresh}
 * and {@link #refreshed} keep the one thing that is not in the log.
 *
 * <p>Confined to the shard's serial executor; while loading, to one worker.
 */
public final class ConsumerGroup {
    private static final String NO_ASSIGNOR = "";

    private final String id;
    private int epoch = 1;
    private long metadataHash;
    private int targetEpoch = 1; // of a new group: there is nothing to assign; -1 where the record was deleted
    private long targetTimestampMs;
    private final Map<String, ConsumerMember> members = new LinkedHashMap<>();
    private final Map<String, String> memberIdsByInstance = new HashMap<>();
    private final Map<String, Map<Uuid, Set<Integer>>> targets = new HashMap<>();
    private final PartitionEpochs owned = new PartitionEpochs();
    private final Subscriptions subscriptions = new Subscriptions();
    private final Tally assignors = new Tally();
    private final Tally classicProtocols = new Tally(); // supported by how many members of the classic protocol
    private int classicMembers;
    private boolean hasPartitionMetadata;
    private boolean strict;
    private long refreshDeadlineMs;
    private int refreshEpoch;

    public ConsumerGroup(String id) {
        this.id = id;
    }

    /** From here on a partition with two owners is a fault of ours, not of a compacted log's order. */
    public void goLive() {
        strict = true;
    }

    public String id() {
        return id;
    }

    public int epoch() {
        return epoch;
    }

    public long metadataHash() {
        return metadataHash;
    }

    /** The group epoch that the target assignment was computed for. */
    public int targetEpoch() {
        return targetEpoch;
    }

    /** Wall clock at which the target assignment was computed, or 0. */
    public long targetTimestampMs() {
        return targetTimestampMs;
    }

    public boolean hasPartitionMetadata() {
        return hasPartitionMetadata;
    }

    public Collection<ConsumerMember> members() {
        return Collections.unmodifiableCollection(members.values());
    }

    public int size() {
        return members.size();
    }

    public boolean isEmpty() {
        return members.isEmpty();
    }

    public @Nullable ConsumerMember member(String memberId) {
        return members.get(memberId);
    }

    /** The member that has an instance id, if there is one. */
    public @Nullable ConsumerMember staticMember(@Nullable String instanceId) {
        @Nullable String memberId = instanceId == null ? null : memberIdsByInstance.get(instanceId);
        return memberId == null ? null : members.get(memberId);
    }

    /** What a member is to have. */
    public Map<Uuid, Set<Integer>> target(String memberId) {
        return targets.getOrDefault(memberId, Map.of());
    }

    /** Target assignments by member. */
    public Map<String, Map<Uuid, Set<Integer>>> targets() {
        return Collections.unmodifiableMap(targets);
    }

    /** The epoch of the member that owns a partition, or -1. */
    public int partitionEpoch(Uuid topic, int partition) {
        return owned.of(topic, partition);
    }

    public Subscriptions subscriptions() {
        return subscriptions;
    }

    /** The assignor that most members want, were one of them another; null if none wants any. */
    public @Nullable String preferredAssignor(@Nullable ConsumerMember before, @Nullable ConsumerMember after) {
        Tally changed = new Tally(assignors);
        if (before != null && before.profile().assignor() != null) {
            changed.remove(before.profile().assignor());
        }
        if (after != null && after.profile().assignor() != null) {
            changed.add(after.profile().assignor());
        }
        String best = NO_ASSIGNOR;
        for (String name : changed.names().stream().sorted().toList()) {
            if (changed.of(name) > changed.of(best)) {
                best = name;
            }
        }
        return best.equals(NO_ASSIGNOR) ? null : best;
    }

    public ConsumerGroupState state() {
        if (members.isEmpty()) {
            return ConsumerGroupState.EMPTY;
        }
        if (epoch > targetEpoch) {
            return ConsumerGroupState.ASSIGNING;
        }
        return members.values().stream().allMatch(member -> member.current().isReconciledTo(targetEpoch))
                ? ConsumerGroupState.STABLE
                : ConsumerGroupState.RECONCILING;
    }

    // ---- members of the classic protocol

    public int classicMembers() {
        return classicMembers;
    }

    /** Whether one of the protocols is supported by every member that speaks the classic protocol. */
    public boolean supportsClassic(Collection<String> protocols) {
        return members.isEmpty()
                ? !protocols.isEmpty()
                : protocols.stream().anyMatch(name -> classicProtocols.of(name) == classicMembers);
    }

    /** Whether a member of the classic protocol waits for partitions that others have yet to give up. */
    public boolean waitsForOthers(ConsumerMember member) {
        if (member.current().state() != MemberState.UNRELEASED_PARTITIONS) {
            return false;
        }
        for (Map.Entry<Uuid, Set<Integer>> topic : target(member.id()).entrySet()) {
            Map<Integer, Integer> has = member.current().assigned().getOrDefault(topic.getKey(), Map.of());
            for (int partition : topic.getValue()) {
                if (!has.containsKey(partition) && partitionEpoch(topic.getKey(), partition) != PartitionEpochs.FREE) {
                    return true;
                }
            }
        }
        return false;
    }

    // ---- the metadata's refresh, which is not in the log

    /** A topic that the group is subscribed to has changed: the next heartbeat looks at it. */
    public void requestRefresh() {
        refreshDeadlineMs = 0;
        refreshEpoch = 0;
    }

    /** @param atEpoch the group epoch that goes with it: should that never be written, the metadata count as not looked at */
    public void refreshed(long deadlineMs, int atEpoch) {
        refreshDeadlineMs = deadlineMs;
        refreshEpoch = atEpoch;
    }

    public boolean needsRefresh(long nowMs) {
        return nowMs >= refreshDeadlineMs || epoch < refreshEpoch;
    }

    // ---- replay

    public void replay(ConsumerGroupMetadataValue value) {
        epoch = value.epoch();
        metadataHash = value.metadataHash();
    }

    public void replayPartitionMetadata(boolean present) {
        hasPartitionMetadata = present;
    }

    public void replay(ConsumerGroupTargetAssignmentMetadataValue value) {
        targetEpoch = value.assignmentEpoch();
        targetTimestampMs = value.assignmentTimestamp();
    }

    /** The target assignment is gone. */
    public void replayTargetTombstone() {
        targetEpoch = -1;
        targetTimestampMs = 0;
    }

    public void replay(String memberId, @Nullable ConsumerGroupTargetAssignmentMemberValue value) {
        if (value == null) {
            targets.remove(memberId);
            return;
        }
        Map<Uuid, Set<Integer>> target = new HashMap<>();
        value.topicPartitions().forEach(topic -> target.put(topic.topicId(), new HashSet<>(topic.partitions())));
        targets.put(memberId, target);
    }

    public void replay(String memberId, @Nullable ConsumerGroupMemberMetadataValue value) {
        @Nullable ConsumerMember present = members.get(memberId);
        if (value != null) {
            put((present == null ? ConsumerMember.fresh(memberId) : present).with(MemberProfile.of(value)));
        } else if (present != null) {
            remove(present);
        }
    }

    public void replay(String memberId, @Nullable ConsumerGroupCurrentMemberAssignmentValue value) {
        @Nullable ConsumerMember present = members.get(memberId);
        if (value != null) {
            put((present == null ? ConsumerMember.fresh(memberId) : present).with(CurrentAssignment.of(value)));
        } else if (present != null) {
            put(present.with(CurrentAssignment.GONE));
        }
    }

    public void replayRegex(String regex, @Nullable ConsumerGroupRegularExpressionValue value) {
        subscriptions.resolve(
                regex,
                value == null
                        ? null
                        : new ResolvedRegex(Set.copyOf(value.topics()), value.version(), value.timestamp()));
    }

    private void put(ConsumerMember member) {
        @Nullable ConsumerMember before = members.put(member.id(), member);
        subscriptions.replace(before == null ? null : before.profile(), member.profile());
        if (before != null) {
            owned.release(before.current());
            uncount(before);
        }
        owned.take(member.current(), strict);
        MemberProfile profile = member.profile();
        if (profile.instanceId() != null) {
            memberIdsByInstance.put(profile.instanceId(), member.id());
        }
        if (profile.assignor() != null) {
            assignors.add(profile.assignor());
        }
        if (profile.isClassic()) {
            classicMembers++;
            protocols(profile).forEach(protocol -> classicProtocols.add(protocol.name()));
        }
    }

    private void remove(ConsumerMember member) {
        members.remove(member.id());
        subscriptions.replace(member.profile(), null);
        owned.release(member.current());
        uncount(member);
    }

    private void uncount(ConsumerMember member) {
        MemberProfile profile = member.profile();
        if (profile.instanceId() != null) {
            memberIdsByInstance.remove(profile.instanceId(), member.id());
        }
        if (profile.assignor() != null) {
            assignors.remove(profile.assignor());
        }
        if (profile.isClassic()) {
            classicMembers--;
            protocols(profile).forEach(protocol -> classicProtocols.remove(protocol.name()));
        }
    }

    private static List<ClassicProtocol> protocols(MemberProfile profile) {
        return profile.classic() == null ? List.of() : profile.classic().supportedProtocols();
    }
}
