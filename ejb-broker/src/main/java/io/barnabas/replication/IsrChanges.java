package io.barnabas.replication;

import io.barnabas.metadata.ControllerChannel;
import io.barnabas.partition.IsrProposal;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AlterPartitionRequestData.BrokerState;
import org.apache.kafka.common.message.AlterPartitionRequestData.TopicData;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.message.AlterPartitionResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the controller for the in-sync replicas of what this broker leads: a follower that has caught up comes in at once, one that lags
 * goes. What waits is asked for in one request, one at a time. A proposal whose outcome is unknown is sent again until the answer or the
 * metadata settle it; it counts meanwhile (I8). What is granted counts when the metadata say so, not with the answer: those bring it in
 * order with {@code min.insync.replicas}, by which the controller has judged who is eligible to lead (KIP-966).
 *
 * <p>After {@link io.barnabas.partition.Followers}, before the {@link ControllerChannel}. Safe from any thread; what it tells partitions it
 * tells outside of its monitor.
 */
public final class IsrChanges implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IsrChanges.class);
    private static final int TIMEOUT_MS = 10_000;
    private static final long FIRST_REST_MS = 50;
    private static final long REST_MS_MAX = 1_000;
    private static final long LOOK_MS_MIN = 100;

    private final Leader leader;
    private final LocalPartitions partitions;
    private final Map<LocalPartition, IsrProposal> due = new LinkedHashMap<>(); // guarded by this
    private final LongAdder shrinks = new LongAdder();
    private final LongAdder expands = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private boolean asking; // a request is under way, or a rest; guarded by this
    private boolean closed; // guarded by this
    private long restMs = FIRST_REST_MS; // guarded by this

    /**
     * The broker that leads.
     *
     * @param brokerEpoch of its registration
     * @param lagTimeMaxMs {@code replica.lag.time.max.ms}
     */
    public record Leader(
            int brokerId, LongSupplier brokerEpoch, ControllerChannel controller, long lagTimeMaxMs, Time time) {}

    /**
     * When and where things are done later.
     *
     * @param workers for the look at all partitions
     */
    public record Time(Ticker ticker, Executor workers) {}

    public IsrChanges(Leader leader, LocalPartitions partitions) {
        this.leader = leader;
        this.partitions = partitions;
    }

    /** Looks for followers that lag from now on, twice in the lag time. */
    public void start() {
        leader.time().ticker().after(Math.max(LOOK_MS_MIN, leader.lagTimeMaxMs() / 2), () -> leader.time()
                .workers()
                .execute(this::lookForLaggards));
    }

    private void lookForLaggards() {
        synchronized (this) {
            if (closed) {
                return;
            }
        }
        for (LocalPartition partition : partitions.partitions()) {
            if (partition.leads() && partition.image().replicas().size() > 1) {
                propose(partition);
            }
        }
        send();
        start();
    }

    /** The ISR of a partition may have to change: a follower has caught up. */
    public void onDue(LocalPartition partition) {
        propose(partition);
        send();
    }

    private void propose(LocalPartition partition) {
        @Nullable IsrProposal proposal = partition.followers().propose();
        if (proposal != null) {
            LOG.info(
                    "in-sync replicas are to change; partition={} from={} to={}",
                    partition.topicPartition(),
                    partition.image().isr(),
                    proposal.isr());
            synchronized (this) {
                due.put(partition, proposal);
            }
        }
    }

    private void send() {
        Map<LocalPartition, IsrProposal> sent = new LinkedHashMap<>();
        synchronized (this) {
            if (asking || closed) {
                return;
            }
            due.forEach((partition, proposal) -> {
                if (partition.followers().awaits(proposal)) {
                    sent.put(partition, proposal);
                }
            });
            due.clear();
            if (sent.isEmpty()) {
                return;
            }
            asking = true;
        }
        var unused = leader.controller()
                .send(request(sent), TIMEOUT_MS)
                .whenComplete((answer, failure) -> onAnswer(sent, answer, failure));
    }

    private AlterPartitionRequestData request(Map<LocalPartition, IsrProposal> proposals) {
        Map<Uuid, TopicData> byId = new LinkedHashMap<>();
        for (IsrProposal proposal : proposals.values()) {
            byId.computeIfAbsent(
                            proposal.topicId(),
                            id -> new TopicData().setTopicId(id).setPartitions(new ArrayList<>()))
                    .partitions()
                    .add(new AlterPartitionRequestData.PartitionData()
                            .setPartitionIndex(proposal.partition().partition())
                            .setLeaderEpoch(proposal.leaderEpoch())
                            .setPartitionEpoch(proposal.partitionEpoch())
                            .setNewIsrWithEpochs(proposal.isr().stream()
                                    .map(member -> new BrokerState()
                                            .setBrokerId(member.brokerId())
                                            .setBrokerEpoch(member.brokerEpoch()))
                                    .toList()));
        }
        return new AlterPartitionRequestData()
                .setBrokerId(leader.brokerId())
                .setBrokerEpoch(leader.brokerEpoch().getAsLong())
                .setTopics(new ArrayList<>(byId.values()));
    }

    private void onAnswer(
            Map<LocalPartition, IsrProposal> sent, @Nullable ApiMessage answer, @Nullable Throwable failure) {
        Map<LocalPartition, IsrProposal> unsettled = new LinkedHashMap<>(sent);
        if (answer instanceof AlterPartitionResponseData answered && answered.errorCode() == Errors.NONE.code()) {
            settle(sent, answered, unsettled);
        } else {
            LOG.warn(
                    "the controller did not change in-sync replicas; partitions={} error={}",
                    sent.size(),
                    answer instanceof AlterPartitionResponseData refused
                            ? Errors.forCode(refused.errorCode())
                            : String.valueOf(failure));
        }
        failures.add(unsettled.size());
        boolean rest = !unsettled.isEmpty();
        long ms;
        synchronized (this) {
            unsettled.forEach(due::putIfAbsent);
            asking = rest;
            ms = restMs;
            restMs = rest ? Math.min(REST_MS_MAX, restMs * 2) : FIRST_REST_MS;
        }
        if (rest) {
            leader.time().ticker().after(ms, () -> leader.time().workers().execute(this::goOn));
        } else {
            send();
        }
    }

    private void goOn() {
        synchronized (this) {
            asking = false;
        }
        send();
    }

    private void settle(
            Map<LocalPartition, IsrProposal> sent,
            AlterPartitionResponseData answer,
            Map<LocalPartition, IsrProposal> unsettled) {
        Map<Uuid, List<PartitionData>> byTopic = new HashMap<>();
        answer.topics().forEach(topic -> byTopic.put(topic.topicId(), topic.partitions()));
        sent.forEach((partition, proposal) -> {
            for (PartitionData data : byTopic.getOrDefault(partition.topicId(), List.of())) {
                if (data.partitionIndex() == proposal.partition().partition() && settles(partition, proposal, data)) {
                    unsettled.remove(partition);
                }
            }
        });
    }

    /** Returns whether nothing need be asked again. */
    private boolean settles(LocalPartition partition, IsrProposal proposal, PartitionData data) {
        Errors error = Errors.forCode(data.errorCode());
        switch (error) {
            case NONE -> {
                (proposal.shrinks() ? shrinks : expands).increment();
                if (data.partitionEpoch() <= proposal.partitionEpoch()) {
                    partition.followers().onRefused(proposal); // it was so already
                }
            }
            case OPERATION_NOT_ATTEMPTED, INELIGIBLE_REPLICA -> {
                failures.increment();
                LOG.info("in-sync replicas were refused; partition={} error={}", partition.topicPartition(), error);
                partition.followers().onRefused(proposal);
            }
            case UNKNOWN_TOPIC_OR_PARTITION,
                    UNKNOWN_TOPIC_ID,
                    FENCED_LEADER_EPOCH,
                    INVALID_UPDATE_VERSION,
                    INVALID_REQUEST,
                    NEW_LEADER_ELECTED -> // the controller has newer metadata, which are on the way and settle it
                LOG.info(
                        "in-sync replicas have changed already; partition={} error={}",
                        partition.topicPartition(),
                        error);
            default -> {
                LOG.warn("in-sync replicas were not changed; partition={} error={}", partition.topicPartition(), error);
                return false;
            }
        }
        return true;
    }

    /** Changes by which fewer are in sync, since start. */
    public long shrinks() {
        return shrinks.sum();
    }

    /** Changes by which more are in sync, since start. */
    public long expands() {
        return expands.sum();
    }

    /** Changes that were refused or not answered, since start. */
    public long failures() {
        return failures.sum();
    }

    /** Asks for nothing any more. */
    @Override
    public synchronized void close() {
        closed = true;
        due.clear();
    }
}
