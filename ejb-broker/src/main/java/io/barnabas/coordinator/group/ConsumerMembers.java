package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import io.barnabas.coordinator.group.consumer.CurrentAssignment;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.FencedMemberEpochException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupMaxSizeReachedException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may be in a consumer group: finds the group and the member that a request speaks of, and refuses what it must not. Confined to the
 * shard's serial executor.
 */
final class ConsumerMembers {
    private static final Logger LOG = LoggerFactory.getLogger(ConsumerMembers.class);

    private final ShardContext context;
    private final GroupMigration migration;
    private final ConsumerSessions sessions;

    ConsumerMembers(ShardContext context, GroupMigration migration, ConsumerSessions sessions) {
        this.context = context;
        this.migration = migration;
        this.sessions = sessions;
    }

    /**
     * The group; one that is yet to be made, or a classic one that becomes a consumer group, is not in the log before the outcome is.
     *
     * @param joins whether it is made if it is not there
     * @throws GroupIdNotFoundException it is not there, or of another kind and cannot be changed
     */
    ConsumerGroup group(String groupId, boolean joins, Outcome outcome) {
        @Nullable ConsumerGroup present = context.groups().consumer(groupId);
        if (present != null) {
            return present;
        }
        if (context.groups().isForeign(groupId)) {
            throw new GroupIdNotFoundException("Group " + groupId + " is not a consumer group.");
        }
        @Nullable ClassicGroup classic = context.groups().find(groupId);
        if (!joins) {
            throw new GroupIdNotFoundException(
                    classic == null
                            ? "Consumer group " + groupId + " not found."
                            : "Group " + groupId + " is not a consumer group.");
        }
        if (classic == null) {
            return new ConsumerGroup(groupId);
        }
        if (classic.is(GroupState.EMPTY)) {
            outcome.append(GroupRecords.groupTombstone(groupId));
            return new ConsumerGroup(groupId);
        }
        ConsumerGroup converted = migration.toConsumer(classic, outcome);
        converted.members().forEach(member -> sessions.startClassic(groupId, member));
        return converted;
    }

    /** @throws GroupMaxSizeReachedException a new member, and no room for it */
    void checkRoom(ConsumerGroup group, String memberId, @Nullable String instanceId) {
        int max = context.consumers().settings().get().maxSize();
        boolean known = group.member(memberId) != null || group.staticMember(instanceId) != null;
        if (!known && group.size() >= max) {
            throw new GroupMaxSizeReachedException(
                    "The consumer group has reached its maximum capacity of " + max + " members.");
        }
    }

    /**
     * A static member that joins, or comes back under a new member id and takes its old place.
     *
     * @param classic whether it joins by the classic protocol
     * @throws ApiException UNRELEASED_INSTANCE_ID: another, alive for all we know, has the instance id
     */
    ConsumerMember joiningStatic(
            ConsumerGroup group, String memberId, String instanceId, boolean classic, Outcome outcome) {
        @Nullable ConsumerMember present = group.staticMember(instanceId);
        if (present == null) {
            LOG.info("static member joins; group={} member={} instance={}", group.id(), memberId, instanceId);
            @Nullable ConsumerMember same = group.member(memberId);
            return same == null ? ConsumerMember.fresh(memberId) : same;
        }
        if (!classic && !present.profile().isClassic() && present.epoch() != CurrentAssignment.LEFT_STATIC) {
            throw Errors.UNRELEASED_INSTANCE_ID.exception("Static member " + memberId + " with instance id "
                    + instanceId + " cannot join the group because the instance id is owned by " + present.id()
                    + " member.");
        }
        ConsumerMember successor = present.succeededBy(memberId);
        ConsumerRecords.memberTombstones(group.id(), present.id()).forEach(outcome::append);
        outcome.append(ConsumerRecords.member(group.id(), successor));
        outcome.append(ConsumerRecords.target(group.id(), memberId, group.target(present.id())));
        outcome.append(ConsumerRecords.current(group.id(), successor));
        LOG.info(
                "static member is back; group={} member={} before={} instance={}",
                group.id(),
                memberId,
                present.id(),
                instanceId);
        return successor;
    }

    /** @throws UnknownMemberIdException there is none */
    static ConsumerMember existing(ConsumerGroup group, String memberId) {
        @Nullable ConsumerMember member = group.member(memberId);
        if (member == null) {
            throw new UnknownMemberIdException("Member " + memberId + " is not a member of group " + group.id() + ".");
        }
        return member;
    }

    /** @throws ApiException UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID if another has the instance id now */
    static ConsumerMember existingStatic(ConsumerGroup group, String memberId, String instanceId) {
        @Nullable ConsumerMember member = group.staticMember(instanceId);
        if (member == null) {
            throw Errors.UNKNOWN_MEMBER_ID.exception("Instance id " + instanceId + " is unknown.");
        }
        if (!member.id().equals(memberId)) {
            throw Errors.FENCED_INSTANCE_ID.exception("Static member " + memberId + " with instance id " + instanceId
                    + " was fenced by member " + member.id() + ".");
        }
        return member;
    }

    /**
     * Checks the epoch that a member says it has. The one before is taken too if the member has nothing that it should not: the answer
     * with the new one may have been lost.
     *
     * @throws FencedMemberEpochException any other
     */
    static void checkEpoch(ConsumerMember member, int epoch, @Nullable List<TopicPartitions> owned) {
        if (epoch == 0 || epoch == member.epoch()) {
            return;
        }
        boolean greater = epoch > member.epoch();
        if (greater || epoch != member.current().previousEpoch() || !isWithin(owned, member.current())) {
            throw new FencedMemberEpochException("The consumer group member has a " + (greater ? "greater" : "smaller")
                    + " member epoch (" + epoch + ") than the one known by the group coordinator (" + member.epoch()
                    + "). The member must abandon all its partitions and rejoin.");
        }
    }

    private static boolean isWithin(@Nullable List<TopicPartitions> owned, CurrentAssignment current) {
        return owned != null
                && owned.stream().allMatch(topic -> current.assigned()
                        .getOrDefault(topic.topicId(), Map.of())
                        .keySet()
                        .containsAll(topic.partitions()));
    }
}
