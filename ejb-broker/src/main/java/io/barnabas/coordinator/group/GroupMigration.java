package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.ConsumerRecords;
import io.barnabas.coordinator.group.consumer.MemberProfile;
import io.barnabas.metadata.MetadataImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicMemberMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a classic group with members into a consumer group when the first member of the new protocol joins, and back when the last one
 * has left, under group.consumer.migration.policy. The records of the one go and those of the other come in one batch; members keep
 * their ids and what they have. Confined to the shard's serial executor.
 */
final class GroupMigration {
    private static final Logger LOG = LoggerFactory.getLogger(GroupMigration.class);

    private final ShardContext context;
    private final Rebalancer rebalancer;

    GroupMigration(ShardContext context, Rebalancer rebalancer) {
        this.context = context;
        this.rebalancer = rebalancer;
    }

    // ---- classic to consumer

    /**
     * Makes it a consumer group. Whoever waits in it is called to join again.
     *
     * @return the group as the records will make it
     * @throws GroupIdNotFoundException it cannot be changed
     */
    ConsumerGroup toConsumer(ClassicGroup classic, Outcome outcome) {
        ConsumerGroupSettings settings = context.consumers().settings().get();
        check(settings.migration().allowsUpgrade(), classic, "online upgrade is disabled");
        check(classic.usesConsumerProtocol(), classic, "the group does not use the consumer embedded protocol");
        check(
                classic.members().size() <= settings.maxSize(),
                classic,
                "the group size exceeds the consumer group maximum size");
        List<CoordinatorRecord> records;
        ConsumerGroup converted = new ConsumerGroup(classic.id());
        try {
            records = consumerRecords(classic);
        } catch (UnsupportedVersionException e) {
            throw refusal(
                    classic,
                    "an unsupported custom assignor is in use. Please refer to the documentation or switch to a default"
                            + " assignor before re-attempting the upgrade");
        } catch (RuntimeException e) { // clients' bytes
            throw refusal(classic, "the embedded consumer protocol is malformed");
        }
        sendBack(classic, outcome);
        outcome.append(GroupRecords.groupTombstone(classic.id()));
        for (CoordinatorRecord record : records) {
            outcome.append(record);
            ConsumerReplay.apply(converted, record);
        }
        LOG.info("classic group becomes a consumer group; group={} members={}", classic.id(), converted.size());
        return converted;
    }

    private static void check(boolean holds, ClassicGroup classic, String otherwise) {
        if (!holds) {
            LOG.info("classic group cannot become a consumer group; group={} reason={}", classic.id(), otherwise);
            throw refusal(classic, otherwise);
        }
    }

    private static GroupIdNotFoundException refusal(ClassicGroup classic, String reason) {
        return new GroupIdNotFoundException(
                "Cannot upgrade classic group " + classic.id() + " to consumer group because " + reason + ".");
    }

    private static void sendBack(ClassicGroup classic, Outcome outcome) {
        short error = Errors.REBALANCE_IN_PROGRESS.code();
        for (Member member : classic.members()) {
            classic.answerJoin(
                    member, new JoinGroupResponseData().setMemberId(member.id).setErrorCode(error), outcome);
            classic.answerSync(member, new SyncGroupResponseData().setErrorCode(error), outcome);
        }
    }

    private List<CoordinatorRecord> consumerRecords(ClassicGroup classic) {
        MetadataImage image = context.consumers().image().get();
        String id = classic.id();
        List<ClassicMembership> members = new ArrayList<>();
        classic.members().forEach(member -> members.add(ClassicMembership.of(member, classic.generation(), image)));
        ConsumerGroup counting = new ConsumerGroup(id);
        List<CoordinatorRecord> records = new ArrayList<>();
        members.forEach(member -> records.add(ConsumerRecords.member(id, member.member())));
        records.forEach(record -> ConsumerReplay.apply(counting, record));
        long hash = context.consumers().hashes().of(counting.subscriptions().topics(), image);
        records.add(ConsumerRecords.epoch(id, classic.generation(), hash));
        members.forEach(
                member -> records.add(ConsumerRecords.target(id, member.member().id(), member.target())));
        records.add(ConsumerRecords.targetEpoch(id, classic.generation(), 0));
        members.forEach(member -> records.add(ConsumerRecords.current(id, member.member())));
        return records;
    }

    // ---- consumer to classic

    /** Makes it a classic group if those who stay all speak the classic protocol; false if that cannot be. */
    boolean maybeToClassic(ConsumerGroup group, Set<ConsumerMember> gone, Outcome outcome) {
        long goneClassic =
                gone.stream().filter(member -> member.profile().isClassic()).count();
        int stay = group.size() - gone.size();
        if (group.classicMembers() - goneClassic != stay || stay <= 0 || !mayBeClassic(group, stay)) {
            return false;
        }
        List<ConsumerMember> staying = group.members().stream()
                .filter(member -> !gone.contains(member))
                .toList();
        Map<String, byte[]> assignments = new HashMap<>();
        staying.forEach(member -> assignments.put(member.id(), held(group, member)));
        List<String> ids = group.members().stream().map(ConsumerMember::id).toList();
        toClassic(group, ids, new Staying(staying, assignments), outcome);
        outcome.ifApplied(() -> started(staying, group.id(), true, outcome));
        return true;
    }

    /** Whether a static member that comes back with the classic protocol makes the group a classic one. */
    boolean endsWith(ConsumerGroup group, @Nullable ConsumerMember replaced) {
        return replaced != null
                && !replaced.profile().isClassic()
                && group.classicMembers() == group.size() - 1
                && mayBeClassic(group, group.size());
    }

    /**
     * Makes it a classic group in which a member has just taken the place of another; the records of that are in the outcome.
     *
     * @param joining the member as it is now
     * @param replaced whose place it has
     */
    void toClassic(ConsumerGroup group, ConsumerMember replaced, MemberUpdate.Ending joining, Outcome outcome) {
        ConsumerMember fresh = joining.member();
        List<ConsumerMember> staying = new ArrayList<>();
        Map<String, byte[]> assignments = new HashMap<>();
        for (ConsumerMember member : group.members()) {
            ConsumerMember now = member.id().equals(replaced.id()) ? fresh : member;
            staying.add(now);
            assignments.put(now.id(), assignment(group, member.id(), now.profile()));
        }
        List<String> ids = staying.stream().map(ConsumerMember::id).toList();
        toClassic(group, ids, new Staying(staying, assignments), outcome);
    }

    private boolean mayBeClassic(ConsumerGroup group, int size) {
        String reason = !context.consumers().settings().get().migration().allowsDowngrade()
                ? "online downgrade is disabled"
                : size > context.settings().maxSize() ? "it is over the maximum size of classic groups" : "";
        if (!reason.isEmpty()) {
            LOG.info("consumer group cannot become a classic group; group={} reason={}", group.id(), reason);
        }
        return reason.isEmpty();
    }

    /** Those who are in the classic group, and what they have there. */
    private record Staying(List<ConsumerMember> members, Map<String, byte[]> assignments) {}

    private void toClassic(ConsumerGroup group, List<String> recorded, Staying staying, Outcome outcome) {
        ConsumerRecords.groupTombstones(group, recorded).forEach(outcome::append);
        outcome.append(GroupRecords.generation(classic(group, staying.members), staying.assignments));
        LOG.info("consumer group becomes a classic group; group={} members={}", group.id(), staying.members.size());
    }

    /** The classic group, for its record: replay makes the one that lives. */
    private ClassicGroup classic(ConsumerGroup group, List<ConsumerMember> staying) {
        ClassicGroup voting = new ClassicGroup(group.id(), context.timers(), context.nowMs());
        List<Member> members = new ArrayList<>();
        for (ConsumerMember member : staying) {
            Member converted = member(member);
            members.add(converted);
            voting.add(converted, null);
        }
        ClassicGroup classic = new ClassicGroup(group.id(), context.timers(), context.nowMs());
        classic.restore(
                new ClassicGroup.Restored(
                        group.epoch(),
                        ConsumerProtocol.PROTOCOL_TYPE,
                        voting.selectProtocol(),
                        voting.leader(),
                        context.nowMs()),
                members);
        return classic;
    }

    private Member member(ConsumerMember member) {
        MemberProfile profile = member.profile();
        return new Member(
                new Member.Identity(member.id(), profile.instanceId(), profile.clientId(), profile.clientHost()),
                subscription(profile),
                context.timers().create());
    }

    private static Member.Subscription subscription(MemberProfile profile) {
        ClassicMemberMetadata classic = Objects.requireNonNull(profile.classic());
        JoinGroupRequestProtocolCollection protocols = new JoinGroupRequestProtocolCollection();
        classic.supportedProtocols()
                .forEach(protocol -> protocols.add(
                        new JoinGroupRequestProtocol().setName(protocol.name()).setMetadata(protocol.metadata())));
        return new Member.Subscription(
                ConsumerProtocol.PROTOCOL_TYPE, protocols, profile.rebalanceTimeoutMs(), classic.sessionTimeoutMs());
    }

    /** What a member has, or is giving up: the rebalance that follows gives it what it is to have. */
    private byte[] held(ConsumerGroup group, ConsumerMember member) {
        Map<Uuid, Set<Integer>> held = new HashMap<>();
        for (var part : List.of(member.current().assigned(), member.current().pendingRevocation())) {
            part.forEach((topic, epochs) ->
                    held.computeIfAbsent(topic, t -> new HashSet<>()).addAll(epochs.keySet()));
        }
        return assignment(group, held, member.profile());
    }

    private byte[] assignment(ConsumerGroup group, String memberId, MemberProfile profile) {
        return assignment(group, group.target(memberId), profile);
    }

    private byte[] assignment(
            ConsumerGroup group, Map<Uuid, ? extends Set<Integer>> partitions, MemberProfile profile) {
        try {
            return ClassicMembership.assignment(
                    partitions, profile, context.consumers().image().get());
        } catch (RuntimeException e) { // clients' bytes
            throw new GroupIdNotFoundException(
                    "Cannot downgrade the consumer group " + group.id() + ": " + e.getMessage() + ".");
        }
    }

    /**
     * The classic group is there: its members' sessions run, and if the target was not reached they are called to a rebalance. The log
     * has one protocol of each member; those who are here have said more.
     */
    void started(List<ConsumerMember> staying, String groupId, boolean rebalance, Outcome outcome) {
        @Nullable ClassicGroup classic = context.groups().find(groupId);
        if (classic == null) {
            throw new IllegalStateException("group " + groupId + " did not become a classic group");
        }
        for (ConsumerMember member : staying) {
            Member converted = classic.memberOf(member.id());
            classic.update(converted, subscription(member.profile()), null, outcome);
            rebalancer.startSession(classic, converted);
        }
        if (rebalance) {
            rebalancer.prepare(classic, "the group was a consumer group", outcome);
        }
    }
}
