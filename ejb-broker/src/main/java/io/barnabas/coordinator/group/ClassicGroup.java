package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A classic group: its members and where it is in its rebalances. Knows the rules of membership; {@link Rebalancer} drives it through
 * time, the handlers of the group APIs through requests.
 *
 * <p>A stable generation is in the log (see {@link #adopt}); a rebalance in progress is not: after a crash its members join again.
 *
 * <p>Confined to the shard's serial executor.
 */
final class ClassicGroup {
    /** Ids given out and not come back with: one request each, and they last as long as its session time-out asks for. */
    static final int PENDING_JOINS_MAX = 5_000;

    private final String id;
    /** Runs out when the members that are called have had their time to join. */
    final ShardTimer joinTimer;
    /** Runs out when the members of a new generation have had their time to sync. */
    final ShardTimer syncTimer;

    private GroupState state = GroupState.EMPTY;
    private GroupState previousState = GroupState.DEAD;
    private long stateTimestampMs; // wall clock; -1 from records of old versions
    private int generation;
    private @Nullable String protocolType;
    private @Nullable String protocol;
    private @Nullable String leader;
    private @Nullable Set<String> subscribedTopics; // null where unknown

    private final Map<String, Member> members = new LinkedHashMap<>();
    private final Map<String, String> memberIdsByInstance = new HashMap<>();
    private final Map<String, ShardTimer> pendingJoins =
            new LinkedHashMap<>(); // given an id, yet to join with it (KIP-394)
    private final Set<String> pendingSyncs = new HashSet<>();
    private final ProtocolVotes votes = new ProtocolVotes();
    private int awaitingJoins;
    /** A member came during the initial delay, which may therefore be prolonged (KIP-134). */
    boolean newMemberAdded;

    ClassicGroup(String id, ShardTimer.Source timers, long nowMs) {
        this.id = id;
        this.joinTimer = timers.create();
        this.syncTimer = timers.create();
        this.stateTimestampMs = nowMs;
    }

    String id() {
        return id;
    }

    GroupState state() {
        return state;
    }

    GroupState previousState() {
        return previousState;
    }

    boolean is(GroupState other) {
        return state == other;
    }

    long stateTimestampMs() {
        return stateTimestampMs;
    }

    int generation() {
        return generation;
    }

    @Nullable
    String protocolType() {
        return protocolType;
    }

    @Nullable
    String protocol() {
        return protocol;
    }

    @Nullable
    String leader() {
        return leader;
    }

    boolean isLeader(String memberId) {
        return memberId.equals(leader);
    }

    boolean usesConsumerProtocol() {
        return ConsumerProtocol.PROTOCOL_TYPE.equals(protocolType);
    }

    /** Where the topics are not known, a group of consumers is taken to be subscribed to every topic, any other to none. */
    boolean isSubscribedTo(String topic) {
        return subscribedTopics == null ? usesConsumerProtocol() : subscribedTopics.contains(topic);
    }

    boolean knowsSubscribedTopics() {
        return subscribedTopics != null;
    }

    Collection<Member> members() {
        return members.values();
    }

    @Nullable
    Member member(String memberId) {
        return members.get(memberId);
    }

    /** A member that must be there. */
    Member memberOf(String memberId) {
        @Nullable Member member = members.get(memberId);
        if (member == null) {
            throw new IllegalStateException("no member " + memberId + " in group " + id);
        }
        return member;
    }

    boolean hasMember(String memberId) {
        return members.containsKey(memberId);
    }

    @Nullable
    String memberIdOf(String instanceId) {
        return memberIdsByInstance.get(instanceId);
    }

    /** The longest that any member may take to join again. */
    int rebalanceTimeoutMs() {
        int longest = 0;
        for (Member member : members.values()) {
            longest = Math.max(longest, member.rebalanceTimeoutMs);
        }
        return longest;
    }

    void transitionTo(GroupState next, long nowMs) {
        if (!state.canTransitionTo(next)) {
            throw new IllegalStateException("group " + id + " cannot go from " + state + " to " + next);
        }
        previousState = state;
        state = next;
        stateTimestampMs = nowMs;
    }

    /** The group leaves the registry: nothing of it runs any more. */
    void die(long nowMs) {
        transitionTo(GroupState.DEAD, nowMs);
        joinTimer.cancel();
        syncTimer.cancel();
        pendingJoins.values().forEach(ShardTimer::cancel);
        members.values().forEach(member -> member.session.cancel());
    }

    // ---- members

    void add(Member member, @Nullable CompletableFuture<JoinGroupResponseData> reply) {
        if (members.isEmpty()) {
            protocolType = member.protocolType;
        }
        if (leader == null) {
            leader = member.id;
        }
        members.put(member.id, member);
        if (member.instanceId != null) {
            memberIdsByInstance.put(member.instanceId, member.id);
        }
        votes.add(member);
        removePendingJoin(member.id);
        if (reply != null) {
            member.awaitingJoin = reply;
            awaitingJoins++;
        }
    }

    /** Forgets a member, or an id that was given out. Who waited must have been answered. */
    void remove(String memberId) {
        @Nullable Member member = members.remove(memberId);
        if (member != null) {
            member.session.cancel();
            votes.remove(member);
            if (member.isAwaitingJoin()) {
                awaitingJoins--;
            }
            if (member.instanceId != null) {
                memberIdsByInstance.remove(member.instanceId, memberId);
            }
        }
        if (isLeader(memberId)) {
            leader = members.isEmpty() ? null : members.keySet().iterator().next();
        }
        removePendingJoin(memberId);
        pendingSyncs.remove(memberId);
    }

    /** Takes over what a member says when it joins again. The reply it waited with before, if any, is turned away. */
    void update(
            Member member,
            Member.Subscription subscription,
            @Nullable CompletableFuture<JoinGroupResponseData> reply,
            Outcome outcome) {
        votes.remove(member);
        member.protocols = subscription.protocols();
        votes.add(member);
        member.rebalanceTimeoutMs = subscription.rebalanceTimeoutMs();
        member.sessionTimeoutMs = subscription.sessionTimeoutMs();
        answerJoin(
                member,
                new JoinGroupResponseData().setMemberId(member.id).setErrorCode(Errors.REBALANCE_IN_PROGRESS.code()),
                outcome);
        if (reply != null) {
            member.awaitingJoin = reply;
            awaitingJoins++;
        }
    }

    /** Puts a member in the place of another with the same instance id; who waited under the old id is fenced (KIP-345). */
    void replaceStatic(Member old, Member fresh, Outcome outcome) {
        answerJoin(
                old,
                new JoinGroupResponseData()
                        .setMemberId(old.id)
                        .setProtocolName(null)
                        .setProtocolType(null)
                        .setErrorCode(Errors.FENCED_INSTANCE_ID.code()),
                outcome);
        answerSync(old, new SyncGroupResponseData().setErrorCode(Errors.FENCED_INSTANCE_ID.code()), outcome);
        boolean wasLeader = isLeader(old.id);
        old.session.cancel();
        members.remove(old.id);
        votes.remove(old);
        members.put(fresh.id, fresh);
        votes.add(fresh);
        if (fresh.instanceId != null) {
            memberIdsByInstance.put(fresh.instanceId, fresh.id);
        }
        if (pendingSyncs.remove(old.id)) {
            pendingSyncs.add(fresh.id);
        }
        if (wasLeader) {
            leader = fresh.id;
        }
    }

    /**
     * Checks who asks.
     *
     * @throws ApiException UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID if another has the instance id now
     */
    Member validated(String memberId, @Nullable String instanceId) {
        if (instanceId != null) {
            @Nullable String present = memberIdsByInstance.get(instanceId);
            if (present == null) {
                throw Errors.UNKNOWN_MEMBER_ID.exception();
            }
            if (!present.equals(memberId)) {
                throw Errors.FENCED_INSTANCE_ID.exception();
            }
        }
        @Nullable Member member = members.get(memberId);
        if (member == null) {
            throw Errors.UNKNOWN_MEMBER_ID.exception();
        }
        return member;
    }

    // ---- joining

    /** Beyond {@link #PENDING_JOINS_MAX} the one that waits longest is forgotten: a living client asks for another id. */
    void addPendingJoin(String memberId, ShardTimer expiry) {
        if (pendingJoins.size() >= PENDING_JOINS_MAX) {
            removePendingJoin(pendingJoins.keySet().iterator().next());
        }
        pendingJoins.put(memberId, expiry);
    }

    boolean isPendingJoin(String memberId) {
        return pendingJoins.containsKey(memberId);
    }

    boolean hasPendingJoins() {
        return !pendingJoins.isEmpty();
    }

    private void removePendingJoin(String memberId) {
        @Nullable ShardTimer expiry = pendingJoins.remove(memberId);
        if (expiry != null) {
            expiry.cancel();
        }
    }

    int awaitingJoins() {
        return awaitingJoins;
    }

    boolean allHaveJoined() {
        return members.size() == awaitingJoins && pendingJoins.isEmpty();
    }

    boolean answerJoin(Member member, JoinGroupResponseData response, Outcome outcome) {
        @Nullable CompletableFuture<JoinGroupResponseData> reply = member.awaitingJoin;
        if (reply == null) {
            return false;
        }
        member.awaitingJoin = null;
        awaitingJoins--;
        outcome.answer(reply, response);
        return true;
    }

    /** Whether there is a leader that has joined: the present one, or the first member that has. */
    boolean electJoinedLeader() {
        if (leader == null) {
            return false;
        }
        if (memberOf(leader).isAwaitingJoin()) {
            return true;
        }
        for (Member member : members.values()) {
            if (member.isAwaitingJoin()) {
                leader = member.id;
                return true;
            }
        }
        return false;
    }

    /** Whether one of the protocols is supported by every member. */
    boolean supports(@Nullable String type, JoinGroupRequestProtocolCollection protocols) {
        if (state == GroupState.EMPTY) {
            return type != null && !type.isEmpty() && !protocols.isEmpty();
        }
        return Objects.equals(protocolType, type)
                && (members.isEmpty() || Member.anyName(protocols, votes.supportedBy(members.size())));
    }

    /** The protocol with the most votes among those that every member supports. */
    String selectProtocol() {
        return votes.select(members.values());
    }

    /** Everybody has joined who will: to the next generation, or to none if nobody is left. */
    void nextGeneration(long nowMs) {
        generation++;
        protocol = members.isEmpty() ? null : selectProtocol();
        subscribedTopics = computeSubscribedTopics();
        transitionTo(members.isEmpty() ? GroupState.EMPTY : GroupState.COMPLETING_REBALANCE, nowMs);
        pendingSyncs.clear();
    }

    /** The members as the leader needs them to assign. */
    List<JoinGroupResponseMember> membersForLeader() {
        List<JoinGroupResponseMember> all = new ArrayList<>(members.size());
        String chosen = Objects.requireNonNull(protocol);
        for (Member member : members.values()) {
            all.add(new JoinGroupResponseMember()
                    .setMemberId(member.id)
                    .setGroupInstanceId(member.instanceId)
                    .setMetadata(member.metadata(chosen)));
        }
        return all;
    }

    // ---- syncing

    void addPendingSync(String memberId) {
        pendingSyncs.add(memberId);
    }

    /** A member has synced; the last one stops the time-out. */
    void removePendingSync(String memberId) {
        pendingSyncs.remove(memberId);
        if (pendingSyncs.isEmpty()) {
            syncTimer.cancel();
        }
    }

    Set<String> pendingSyncs() {
        return pendingSyncs;
    }

    void stopSyncing() {
        pendingSyncs.clear();
        syncTimer.cancel();
    }

    boolean answerSync(Member member, SyncGroupResponseData response, Outcome outcome) {
        @Nullable CompletableFuture<SyncGroupResponseData> reply = member.awaitingSync;
        if (reply == null) {
            return false;
        }
        member.awaitingSync = null;
        outcome.answer(reply, response);
        return true;
    }

    // ---- the log

    /** The generation's assignment is in the log: it holds from now on. Called on replay, in the step that appended it. */
    void adopt(Map<String, byte[]> assignments, long nowMs) {
        members.values()
                .forEach(member -> member.assignment = assignments.getOrDefault(member.id, Member.NO_ASSIGNMENT));
        if (state == GroupState.COMPLETING_REBALANCE) {
            transitionTo(GroupState.STABLE, nowMs);
        }
    }

    /** Takes over a stable or empty generation from the log, at start. */
    void restore(Restored restored, Collection<Member> all) {
        generation = restored.generation();
        protocol = restored.protocol();
        stateTimestampMs = restored.stateTimestampMs();
        all.forEach(member -> add(member, null));
        if (restored.leader() != null && hasMember(restored.leader())) {
            leader = restored.leader();
        }
        protocolType = restored.protocolType();
        state = all.isEmpty() ? GroupState.EMPTY : GroupState.STABLE;
        subscribedTopics = computeSubscribedTopics();
    }

    /** What a group record holds beside the members. */
    record Restored(
            int generation,
            @Nullable String protocolType,
            @Nullable String protocol,
            @Nullable String leader,
            long stateTimestampMs) {}

    /**
     * The topics of a group of consumers, from their subscriptions; null for other protocols, before a protocol is chosen, and where a
     * subscription cannot be read. Version 0 is the prefix of every version.
     */
    private @Nullable Set<String> computeSubscribedTopics() {
        if (!usesConsumerProtocol()) {
            return null;
        }
        if (members.isEmpty()) {
            return Set.of();
        }
        if (protocol == null) {
            return null;
        }
        Set<String> topics = new HashSet<>();
        try {
            for (Member member : members.values()) {
                ByteBuffer metadata = ByteBuffer.wrap(member.metadata(protocol));
                ConsumerProtocol.deserializeVersion(metadata);
                topics.addAll(ConsumerProtocol.deserializeConsumerProtocolSubscription(metadata, (short) 0)
                        .topics());
            }
        } catch (RuntimeException e) {
            return null; // a foreign format under the name "consumer": nothing of it expires while the group lives
        }
        return topics;
    }
}
