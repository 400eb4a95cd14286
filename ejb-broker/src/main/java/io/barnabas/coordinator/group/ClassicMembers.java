package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.MemberProfile;
import io.barnabas.coordinator.group.consumer.MemberState;
import io.barnabas.metadata.MetadataImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerProtocolSubscription;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicProtocol;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Members of the classic protocol in a consumer group: JoinGroup is their step towards the target, SyncGroup brings what they have, and
 * Heartbeat calls them to join again when there is a next step. The coordinator assigns; none of them leads. Confined to the shard's
 * serial executor.
 */
final class ClassicMembers {
    private static final Logger LOG = LoggerFactory.getLogger(ClassicMembers.class);

    private final ShardContext context;
    private final ConsumerMembers members;
    private final ConsumerSessions sessions;
    private final MemberUpdate update;
    private final GroupMigration migration;

    ClassicMembers(
            ShardContext context,
            ConsumerMembers members,
            ConsumerSessions sessions,
            MemberUpdate update,
            GroupMigration migration) {
        this.context = context;
        this.members = members;
        this.sessions = sessions;
        this.update = update;
        this.migration = migration;
    }

    private MetadataImage image() {
        return context.consumers().image().get();
    }

    // ---- joining

    /** @throws ApiException what the member did wrong; INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED */
    void join(
            ConsumerGroup group,
            ClientInfo client,
            JoinGroupRequestData request,
            CompletableFuture<JoinGroupResponseData> reply,
            Outcome outcome) {
        if (context.consumers().settings().get().migration() == MigrationPolicy.DISABLED) {
            throw Errors.INCONSISTENT_GROUP_PROTOCOL.exception();
        }
        boolean unknown = request.memberId().isEmpty();
        String memberId = unknown ? context.memberIds().apply(client.clientId()) : request.memberId();
        members.checkRoom(group, memberId, request.groupInstanceId());
        checkProtocols(group, request);
        if (JoinGroupRequest.requiresKnownMemberId(request, client.version())) {
            outcome.answer(reply, JoinHandler.error(memberId, Errors.MEMBER_ID_REQUIRED));
            return;
        }
        @Nullable ConsumerMember replaced = group.staticMember(request.groupInstanceId());
        ConsumerMember before = member(group, memberId, request, outcome);
        ConsumerProtocolSubscription subscription = subscription(request);
        ConsumerMember said = before.with(profile(before.profile(), client, request, subscription));
        List<TopicPartitions> owned = ClassicMembership.owned(subscription, image());
        if (replaced != null && migration.endsWith(group, replaced)) {
            MemberUpdate.Ending last = update.applyLast(group, before, said, owned, outcome);
            migration.toClassic(group, replaced, last, outcome);
            List<ConsumerMember> staying = staying(group, replaced, last.member());
            outcome.ifApplied(() -> migration.started(staying, group.id(), last.rebalance(), outcome));
            outcome.answer(reply, joined(last.member()));
            return;
        }
        ConsumerMember after = update.apply(group, before, said, owned, outcome);
        outcome.ifApplied(() -> {
            sessions.start(group.id(), memberId, request.sessionTimeoutMs());
            sessions.onJoined(group.id(), memberId, after.profile().rebalanceTimeoutMs());
        });
        outcome.answer(reply, joined(after));
    }

    private static void checkProtocols(ConsumerGroup group, JoinGroupRequestData request) {
        Set<String> names = new HashSet<>();
        request.protocols().forEach(protocol -> names.add(protocol.name()));
        if (!ConsumerProtocol.PROTOCOL_TYPE.equals(request.protocolType()) || !group.supportsClassic(names)) {
            throw Errors.INCONSISTENT_GROUP_PROTOCOL.exception();
        }
    }

    private ConsumerMember member(ConsumerGroup group, String memberId, JoinGroupRequestData request, Outcome outcome) {
        @Nullable String instanceId = request.groupInstanceId();
        if (instanceId == null) {
            @Nullable ConsumerMember present = group.member(memberId);
            if (present == null) {
                LOG.info("member joins by the classic protocol; group={} member={}", group.id(), memberId);
            }
            return present == null ? ConsumerMember.fresh(memberId) : present;
        }
        return request.memberId().isEmpty()
                ? members.joiningStatic(group, memberId, instanceId, true, outcome)
                : ConsumerMembers.existingStatic(group, memberId, instanceId);
    }

    /** All protocols of a consumer have the same subscription. */
    private static ConsumerProtocolSubscription subscription(JoinGroupRequestData request) {
        try {
            return ClassicMembership.subscription(
                    request.protocols().iterator().next().metadata());
        } catch (RuntimeException e) { // clients' bytes
            throw Errors.INCONSISTENT_GROUP_PROTOCOL.exception(
                    "Malformed embedded consumer protocol in subscription deserialization.");
        }
    }

    private static MemberProfile profile(
            MemberProfile before,
            ClientInfo client,
            JoinGroupRequestData request,
            ConsumerProtocolSubscription subscription) {
        @Nullable String rack = ClassicMembership.rack(subscription);
        int rebalanceMs = client.version() == 0 ? request.sessionTimeoutMs() : request.rebalanceTimeoutMs();
        return new MemberProfile(
                request.groupInstanceId() == null ? before.instanceId() : request.groupInstanceId(),
                rack == null ? before.rackId() : rack,
                rebalanceMs,
                client.clientId(),
                client.host(),
                Set.copyOf(subscription.topics()),
                "", // it knows no patterns of ours
                before.assignor(),
                ClassicMembership.metadata(request.protocols(), request.sessionTimeoutMs()));
    }

    private static List<ConsumerMember> staying(ConsumerGroup group, ConsumerMember replaced, ConsumerMember fresh) {
        List<ConsumerMember> staying = new ArrayList<>();
        group.members().forEach(member -> staying.add(member.id().equals(replaced.id()) ? fresh : member));
        return staying;
    }

    private static JoinGroupResponseData joined(ConsumerMember member) {
        return new JoinGroupResponseData()
                .setMemberId(member.id())
                .setGenerationId(member.epoch())
                .setProtocolType(ConsumerProtocol.PROTOCOL_TYPE)
                .setProtocolName(protocolName(member));
    }

    private static String protocolName(ConsumerMember member) {
        List<ClassicProtocol> protocols =
                Objects.requireNonNull(member.profile().classic()).supportedProtocols();
        return protocols.get(0).name();
    }

    // ---- syncing

    /** @throws ApiException UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS and so on */
    SyncGroupResponseData sync(ConsumerGroup group, SyncGroupRequestData request) {
        ConsumerMember member = member(group, request.memberId(), request.groupInstanceId(), request.generationId());
        boolean otherType =
                request.protocolType() != null && !ConsumerProtocol.PROTOCOL_TYPE.equals(request.protocolType());
        if (otherType
                || (request.protocolName() != null && !protocolName(member).equals(request.protocolName()))) {
            throw Errors.INCONSISTENT_GROUP_PROTOCOL.exception();
        }
        // one that is giving partitions up has joined already, and joins again when it has
        if (group.targetEpoch() > member.epoch() && member.current().state() != MemberState.UNREVOKED_PARTITIONS) {
            sessions.startJoin(group.id(), member);
            throw Errors.REBALANCE_IN_PROGRESS.exception();
        }
        sessions.onSynced(group.id(), member.id());
        sessions.startClassic(group.id(), member);
        Map<Uuid, Set<Integer>> assigned = new HashMap<>();
        member.current().assigned().forEach((topic, epochs) -> assigned.put(topic, epochs.keySet()));
        return new SyncGroupResponseData()
                .setProtocolType(request.protocolType())
                .setProtocolName(request.protocolName())
                .setAssignment(ClassicMembership.assignment(assigned, member.profile(), image()));
    }

    /** The member of a request, which must be of the classic protocol and in the epoch that it takes for its generation. */
    private static ConsumerMember member(
            ConsumerGroup group, String memberId, @Nullable String instanceId, int generation) {
        ConsumerMember member = instanceId == null
                ? ConsumerMembers.existing(group, memberId)
                : ConsumerMembers.existingStatic(group, memberId, instanceId);
        if (!member.profile().isClassic()) {
            throw Errors.UNKNOWN_MEMBER_ID.exception("Member " + memberId + " does not use the classic protocol.");
        }
        if (member.epoch() != generation) {
            throw Errors.ILLEGAL_GENERATION.exception();
        }
        return member;
    }

    // ---- heartbeats

    /** @throws ApiException UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION */
    HeartbeatResponseData heartbeat(ConsumerGroup group, HeartbeatRequestData request) {
        ConsumerMember member = member(group, request.memberId(), request.groupInstanceId(), request.generationId());
        sessions.startClassic(group.id(), member);
        MemberState state = member.current().state();
        boolean next = member.epoch() < group.targetEpoch()
                || state == MemberState.UNREVOKED_PARTITIONS
                || (state == MemberState.UNRELEASED_PARTITIONS && !group.waitsForOthers(member));
        if (next) {
            sessions.startJoin(group.id(), member);
        }
        return new HeartbeatResponseData().setErrorCode((next ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE).code());
    }

    // ---- leaving

    /** Members of either protocol may be taken out so, by an administrator, too (KIP-345). */
    LeaveGroupResponseData leave(ConsumerGroup group, LeaveGroupRequestData request, Outcome outcome) {
        List<MemberResponse> responses = new ArrayList<>(request.members().size());
        Set<ConsumerMember> gone = new HashSet<>();
        for (MemberIdentity identity : request.members()) {
            MemberResponse response = new MemberResponse()
                    .setMemberId(identity.memberId())
                    .setGroupInstanceId(identity.groupInstanceId());
            try {
                gone.add(leaving(group, identity));
            } catch (ApiException e) {
                response.setErrorCode(Errors.forException(e).code());
            }
            responses.add(response);
        }
        sessions.fence(group, gone, outcome);
        return new LeaveGroupResponseData().setMembers(responses);
    }

    private static ConsumerMember leaving(ConsumerGroup group, MemberIdentity identity) {
        @Nullable String instanceId = identity.groupInstanceId();
        @Nullable ConsumerMember holder = group.staticMember(instanceId);
        if (holder != null && identity.memberId().isEmpty()) {
            return holder;
        }
        ConsumerMember member = instanceId == null
                ? ConsumerMembers.existing(group, identity.memberId())
                : ConsumerMembers.existingStatic(group, identity.memberId(), instanceId);
        LOG.info(
                "member leaves; group={} member={} reason={}",
                group.id(),
                member.id(),
                identity.reason() == null
                        ? "not provided"
                        : JoinGroupRequest.maybeTruncateReason(identity.reason())); // KIP-800
        return member;
    }
}
