package io.barnabas.coordinator.group;

import io.barnabas.coordinator.ShardTimer;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.jspecify.annotations.Nullable;

/**
 * A member of a classic group. Confined to the shard's serial executor; {@link ClassicGroup} alone changes what waits and what is
 * supported, because it counts them.
 */
final class Member {
    static final byte[] NO_ASSIGNMENT = new byte[0];

    final String id;
    final @Nullable String instanceId;
    final String clientId;
    final String clientHost;
    final String protocolType;
    final ShardTimer session;

    JoinGroupRequestProtocolCollection protocols;
    int rebalanceTimeoutMs;
    int sessionTimeoutMs;
    byte[] assignment = NO_ASSIGNMENT;
    /** Has never had a generation: its session runs even while it waits for one. */
    boolean isNew;

    @Nullable
    CompletableFuture<JoinGroupResponseData> awaitingJoin;

    @Nullable
    CompletableFuture<SyncGroupResponseData> awaitingSync;

    Member(Identity identity, Subscription subscription, ShardTimer session) {
        this.id = identity.id();
        this.instanceId = identity.instanceId();
        this.clientId = identity.clientId();
        this.clientHost = identity.clientHost();
        this.protocolType = subscription.protocolType();
        this.protocols = subscription.protocols();
        this.rebalanceTimeoutMs = subscription.rebalanceTimeoutMs();
        this.sessionTimeoutMs = subscription.sessionTimeoutMs();
        this.session = session;
    }

    /** The same static member under another id, waiting for nothing. */
    Member withId(String newId, ShardTimer newSession) {
        Member member = new Member(
                new Identity(newId, instanceId, clientId, clientHost),
                new Subscription(protocolType, protocols, rebalanceTimeoutMs, sessionTimeoutMs),
                newSession);
        member.assignment = assignment;
        return member;
    }

    boolean isStatic() {
        return instanceId != null;
    }

    boolean isAwaitingJoin() {
        return awaitingJoin != null;
    }

    /** A member that waits for us is alive; a new one is not believed for ever. */
    boolean isExcusedFromHeartbeat() {
        return !isNew && (awaitingJoin != null || awaitingSync != null);
    }

    boolean hasSame(JoinGroupRequestProtocolCollection others) {
        return protocols.equals(others);
    }

    /** The member's metadata under a protocol that it supports. */
    byte[] metadata(String protocol) {
        @Nullable JoinGroupRequestProtocol found = protocols.find(protocol);
        if (found == null) {
            throw new IllegalStateException("member " + id + " does not support protocol " + protocol);
        }
        return found.metadata();
    }

    /** The first of its protocols, by its preference, that is a candidate. */
    String vote(Set<String> candidates) {
        for (JoinGroupRequestProtocol protocol : protocols) {
            if (candidates.contains(protocol.name())) {
                return protocol.name();
            }
        }
        throw new IllegalStateException("member " + id + " supports none of the candidates");
    }

    /** @param protocol under which its metadata is shown, or null for none */
    DescribedGroupMember describe(@Nullable String protocol) {
        DescribedGroupMember described = new DescribedGroupMember()
                .setMemberId(id)
                .setGroupInstanceId(instanceId)
                .setClientId(clientId)
                .setClientHost(clientHost)
                .setMemberAssignment(assignment);
        return protocol == null ? described : described.setMemberMetadata(metadata(protocol));
    }

    static boolean anyName(Collection<JoinGroupRequestProtocol> protocols, Set<String> names) {
        return protocols.stream().anyMatch(protocol -> names.contains(protocol.name()));
    }

    /** Who a member is. */
    record Identity(String id, @Nullable String instanceId, String clientId, String clientHost) {}

    /** What a member asked for when it joined. */
    record Subscription(
            String protocolType,
            JoinGroupRequestProtocolCollection protocols,
            int rebalanceTimeoutMs,
            int sessionTimeoutMs) {}
}
