package io.barnabas.simulation;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer of one partition with acks=all, which has several batches under way. When one fails, or there is no answer, it
 * waits for the others of that connection, looks for the leader, and sends in their order all that were not acknowledged.
 */
final class IdempotentClient {
    private static final short VERSION = 12;
    private static final int IN_FLIGHT = 5;
    private static final int TIMEOUT_MS = 700;
    private static final int REST_MS = 40;
    private static final Set<Errors> RETRIED = Set.of(
            Errors.NOT_LEADER_OR_FOLLOWER,
            Errors.NOT_ENOUGH_REPLICAS,
            Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            Errors.REQUEST_TIMED_OUT,
            Errors.UNKNOWN_TOPIC_OR_PARTITION,
            Errors.LEADER_NOT_AVAILABLE,
            Errors.NETWORK_EXCEPTION);

    private final String name;
    private final long producerId;
    private final TopicPartition partition;
    private final SimulatedCluster cluster;
    private final ClusterChecks checks;
    private final Random random;
    private final Trace trace;
    private final ClusterConnection connection;
    private final ArrayDeque<Batch> unacknowledged = new ArrayDeque<>();
    private int inFlight;
    private boolean broken; // what is in flight is waited for, then all is sent again
    private boolean resting;
    private int sent;
    private int batches;

    /** Its records are numbered from {@code first} on, which is their sequence, too. */
    private static final class Batch {
        private final int number;
        private final int first;
        private final int count;
        private boolean underWay;

        Batch(int number, int first, int count) {
            this.number = number;
            this.first = first;
            this.count = count;
        }
    }

    IdempotentClient(int number, TopicPartition partition, ClusterSimulation simulation) {
        this.name = "p" + number;
        this.producerId = 1_000_000L + number;
        this.partition = partition;
        this.cluster = simulation.cluster;
        this.checks = simulation.checks;
        this.random = simulation.random;
        this.trace = simulation.trace;
        this.connection = new ClusterConnection(cluster, partition, name, random);
    }

    boolean idle() {
        return unacknowledged.isEmpty();
    }

    @Override
    public String toString() {
        return name + " of " + partition + " lacks " + unacknowledged.size() + " answers, inFlight=" + inFlight
                + " broken=" + broken + " resting=" + resting + " at " + connection.broker();
    }

    /** Produces something. */
    void produce() {
        Batch oldest = unacknowledged.peekFirst();
        if (oldest == null || batches - oldest.number < IN_FLIGHT) { // a broker knows so many batches again
            int count = 1 + random.nextInt(3);
            unacknowledged.add(new Batch(batches++, sent, count));
            sent += count;
        }
        pump();
    }

    private void pump() {
        if (resting || broken) {
            return;
        }
        for (Batch batch : unacknowledged) {
            if (!batch.underWay && !send(batch)) {
                rest();
                return;
            }
        }
    }

    private boolean send(Batch batch) {
        boolean isSent =
                connection.send(ApiKeys.PRODUCE, VERSION, request(batch), TIMEOUT_MS, body -> onOutcome(batch, body));
        if (isSent) {
            batch.underWay = true;
            inFlight++;
        }
        return isSent;
    }

    private void onOutcome(Batch batch, @Nullable ApiMessage body) {
        inFlight--;
        if (body instanceof ProduceResponseData answer) {
            take(
                    batch,
                    answer.responses().iterator().next().partitionResponses().get(0));
        } else {
            broken = true;
        }
        goOn();
    }

    private ProduceRequestData request(Batch batch) {
        List<SimpleRecord> records = new ArrayList<>();
        for (int i = 0; i < batch.count; i++) {
            records.add(new SimpleRecord(
                    cluster.clock.wallMillis(),
                    null,
                    ClusterChecks.value(name, batch.first + i).getBytes(StandardCharsets.UTF_8)));
        }
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) -1).setTimeoutMs(TIMEOUT_MS / 2);
        request.topicData()
                .add(new ProduceRequestData.TopicProduceData()
                        .setName(partition.topic())
                        .setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                                .setIndex(partition.partition())
                                .setRecords(MemoryRecords.withIdempotentRecords(
                                        Compression.NONE,
                                        producerId,
                                        (short) 0,
                                        batch.first,
                                        records.toArray(new SimpleRecord[0]))))));
        return request;
    }

    private void take(Batch batch, PartitionProduceResponse answer) {
        Errors error = Errors.forCode(answer.errorCode());
        if (error == Errors.NONE) {
            trace.note(name + " acknowledged " + batch.first + " at " + answer.baseOffset() + " by "
                    + connection.broker());
            if (answer.baseOffset() >= 0) {
                for (int i = 0; i < batch.count; i++) {
                    checks.onAcknowledged(
                            partition, answer.baseOffset() + i, ClusterChecks.value(name, batch.first + i));
                }
            }
            unacknowledged.remove(batch);
            return;
        }
        boolean early = error == Errors.OUT_OF_ORDER_SEQUENCE_NUMBER && broken; // one before it has failed
        ClusterChecks.require(
                early || RETRIED.contains(error),
                name + " is told " + error + " by " + connection.broker() + " of " + batch.first + " of " + partition);
        trace.note(name + " told " + error + " of " + batch.first + " by " + connection.broker());
        broken = true;
    }

    /** All that was sent has been answered in some way: what lacks is sent again. */
    private void goOn() {
        if (broken && inFlight == 0) {
            broken = false;
            unacknowledged.forEach(batch -> batch.underWay = false);
            connection.drop();
            rest();
        }
    }

    private void rest() {
        if (!resting) {
            resting = true;
            cluster.ticker.after(REST_MS, () -> {
                resting = false;
                pump();
            });
        }
    }
}
