package io.barnabas.coordinator.group;

import io.barnabas.coordinator.ShardTimer;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue.MemberMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The groups of a shard by id. Groups of a type that this broker does not serve (found in a log that Kafka wrote) are known by their id
 * and type alone: their records stay in the log, and no classic group takes their place.
 *
 * <p>Confined to the shard's serial executor.
 */
final class Groups {
    private final Map<String, ClassicGroup> classic = new HashMap<>();
    private final Map<String, ConsumerGroup> consumers = new HashMap<>();
    private final Map<String, String> foreignTypes = new HashMap<>();
    private final ShardTimer.Source timers;
    private final LongSupplier nowMs;
    private boolean live;

    Groups(ShardTimer.Source timers, LongSupplier nowMs) {
        this.timers = timers;
        this.nowMs = nowMs;
    }

    /** From here on records are those that this shard has just appended, not those of an earlier one. */
    void goLive() {
        live = true;
        consumers.values().forEach(ConsumerGroup::goLive);
    }

    @Nullable
    ConsumerGroup consumer(String id) {
        return consumers.get(id);
    }

    Collection<ConsumerGroup> consumers() {
        return consumers.values();
    }

    /** The consumer group that a record in the log is of. A classic group made by commits alone, which the log has not, gives way. */
    ConsumerGroup consumerToReplay(String id) {
        @Nullable ConsumerGroup present = consumers.get(id);
        if (present != null) {
            return present;
        }
        remove(id);
        ConsumerGroup group = new ConsumerGroup(id);
        if (live) {
            group.goLive();
        }
        consumers.put(id, group);
        return group;
    }

    void removeConsumer(String id) {
        consumers.remove(id);
    }

    /** The classic group of that id. */
    @Nullable
    ClassicGroup find(String id) {
        return classic.get(id);
    }

    /** The classic groups. */
    Collection<ClassicGroup> all() {
        return classic.values();
    }

    boolean exists(String id) {
        return classic.containsKey(id) || consumers.containsKey(id) || foreignTypes.containsKey(id);
    }

    boolean isForeign(String id) {
        return foreignTypes.containsKey(id);
    }

    /** Types, as ListGroups names them, of groups that are not served, by id. */
    Map<String, String> foreignTypes() {
        return foreignTypes;
    }

    ClassicGroup create(String id) {
        ClassicGroup group = new ClassicGroup(id, timers, nowMs.getAsLong());
        classic.put(id, group);
        return group;
    }

    void remove(String id) {
        @Nullable ClassicGroup group = classic.remove(id);
        if (group != null) {
            group.die(nowMs.getAsLong());
        }
    }

    /** An offset was committed: whoever commits without a group gets a simple one. */
    void replayCommit(String id) {
        if (!exists(id)) {
            create(id);
        }
    }

    void replayForeign(String id, String type, boolean present) {
        if (present) {
            remove(id);
            foreignTypes.put(id, type);
        } else {
            foreignTypes.remove(id, type);
        }
    }

    void replay(String id, @Nullable GroupMetadataValue value) {
        if (value == null) {
            remove(id);
            return;
        }
        @Nullable ClassicGroup group = classic.get(id);
        if (live && group != null) {
            if (!value.members().isEmpty()) {
                Map<String, byte[]> assignments = new HashMap<>();
                value.members().forEach(member -> assignments.put(member.memberId(), member.assignment()));
                group.adopt(assignments, nowMs.getAsLong());
            }
            return;
        }
        remove(id);
        removeConsumer(id); // whose tombstones compaction has taken
        restore(create(id), value);
    }

    private void restore(ClassicGroup group, GroupMetadataValue value) {
        String type = value.protocolType();
        List<Member> members = new ArrayList<>(value.members().size());
        for (MemberMetadata metadata : value.members()) {
            members.add(member(metadata, type, value.protocol()));
        }
        group.restore(
                new ClassicGroup.Restored(
                        value.generation(),
                        type == null || type.isEmpty() ? null : type,
                        value.protocol(),
                        value.leader(),
                        value.currentStateTimestamp()),
                members);
    }

    private Member member(MemberMetadata metadata, String type, @Nullable String protocol) {
        var protocols = new JoinGroupRequestProtocolCollection();
        protocols.add(new JoinGroupRequestProtocol()
                .setName(protocol == null ? "" : protocol)
                .setMetadata(metadata.subscription()));
        int rebalanceTimeoutMs =
                metadata.rebalanceTimeout() == -1 ? metadata.sessionTimeout() : metadata.rebalanceTimeout();
        Member member = new Member(
                new Member.Identity(
                        metadata.memberId(), metadata.groupInstanceId(), metadata.clientId(), metadata.clientHost()),
                new Member.Subscription(type, protocols, rebalanceTimeoutMs, metadata.sessionTimeout()),
                timers.create());
        member.assignment = metadata.assignment();
        return member;
    }
}
