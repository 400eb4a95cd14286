package io.barnabas.simulation;

import io.barnabas.log.AppendResult;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.partition.LocalPartition;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer of one partition: up to five batches under way, each sent again with the same sequence until it is answered;
 * nothing new while something has to be sent again. Requests and answers get lost.
 */
final class ProducingClient {
    private static final int IN_FLIGHT = 5;

    final TopicPartition partition;
    private final BrokerSimulation world;
    private final Random random;
    private final List<Batch> underWay = new ArrayList<>();
    private long id;
    private int nextSequence;
    private int sent;

    ProducingClient(TopicPartition partition, BrokerSimulation world, Random random) {
        this.partition = partition;
        this.world = world;
        this.random = random;
        this.id = world.nextProducerId();
    }

    private record Sequence(long producerId, int number) {
        @Override
        public String toString() {
            return producerId + "/" + number;
        }
    }

    /** Sent, and what is known of it. */
    static final class Batch {
        private final Sequence first;
        private final int number;
        private final List<String> values;
        private final long timestamp;
        private final CompressionType codec;
        private boolean again;
        private int attempt;
        private long writtenBelow = -1; // if it is in the log, it ends at or below this offset
        private int writtenIn; // the life of the process in which it may have been written last

        Batch(Sequence first, int number, List<String> values, long timestamp, CompressionType codec) {
            this.first = first;
            this.number = number;
            this.values = values;
            this.timestamp = timestamp;
            this.codec = codec;
        }

        long producerId() {
            return first.producerId;
        }

        int sequence() {
            return first.number;
        }

        MemoryRecords bytes(boolean idempotent) {
            MemoryRecordsBuilder builder = MemoryRecords.builder(
                    ByteBuffer.allocate(512),
                    (byte) 2,
                    Compression.of(codec).build(),
                    TimestampType.CREATE_TIME,
                    0L,
                    -1L,
                    idempotent ? first.producerId : -1,
                    (short) (idempotent ? 0 : -1),
                    idempotent ? first.number : -1,
                    false,
                    -1);
            for (String value : values) {
                builder.append(timestamp, null, value.getBytes(StandardCharsets.UTF_8));
            }
            return builder.build();
        }
    }

    boolean idle() {
        return underWay.isEmpty();
    }

    /** Sends again what has to be, or something new. With a request that is lost the connection is, so nothing follows it. */
    void pump(boolean something) {
        boolean retried = false;
        for (Batch batch : List.copyOf(underWay)) {
            if (batch.again && underWay.contains(batch)) {
                retried = true;
                send(batch);
                if (batch.again) {
                    break;
                }
            }
        }
        boolean window = underWay.isEmpty() || sent - underWay.get(0).number < IN_FLIGHT;
        if (something && !retried && window) {
            CompressionType codec = random.nextInt(4) == 0 ? CompressionType.GZIP : CompressionType.NONE;
            List<String> values = new ArrayList<>();
            for (int i = 0; i <= random.nextInt(3); i++) {
                values.add(world.nextValue() + "x".repeat(random.nextInt(80)));
            }
            Batch batch = new Batch(new Sequence(id, nextSequence), sent++, values, world.now(), codec);
            nextSequence += values.size();
            underWay.add(batch);
            send(batch);
        }
    }

    private void send(Batch batch) {
        int attempt = ++batch.attempt;
        batch.again = false;
        if (world.losesMessage()) {
            batch.again = true;
            return;
        }
        try {
            LocalPartition leader = world.node().leader(partition);
            long wouldEndAt = leader.log().logEndOffset() + batch.values.size();
            AppendResult result;
            try {
                result = world.product().append(leader, batch);
            } catch (SimulatedDisk.Crash e) {
                written(batch, wouldEndAt);
                throw e;
            }
            long last = result.lastOffset();
            written(batch, last + 1);
            world.note(
                    "append " + partition + " " + batch.first + " at " + last + (result.duplicate() ? " again" : ""));
            CompletableFuture<Void> committed =
                    world.node().leader(partition).committed(last + 1).toCompletableFuture();
            world.expect(committed).whenComplete(world.whileAlive((nothing, failure) -> {
                if (attempt == batch.attempt && underWay.contains(batch)) {
                    answered(batch, last, failure);
                }
            }));
        } catch (ApiException e) {
            refused(batch, e);
        }
    }

    private void written(Batch batch, long end) {
        batch.writtenBelow = end;
        batch.writtenIn = world.life();
    }

    /**
     * A snapshot holds the last batch of each producer, as in Kafka; those before are known again after a start as long as the log has
     * them. Out of order is the answer then to a batch that an earlier life wrote and retention has taken, if a later one is known.
     */
    private boolean isForgotten(Batch batch) {
        PartitionLog log = world.node().leader(partition).log();
        return batch.writtenBelow >= 0
                && batch.writtenIn < world.life()
                && log.logStartOffset() >= batch.writtenBelow
                && log.activeProducers().stream()
                        .anyMatch(info -> info.producerId() == batch.producerId()
                                && info.lastSequence() >= batch.sequence() + batch.values.size());
    }

    /** Out of order is right for a batch behind one that is missing, and for the first only if it was forgotten. */
    private void refused(Batch batch, ApiException e) {
        world.note(
                "refused " + partition + " " + batch.first + " " + e.getClass().getSimpleName());
        boolean first = underWay.get(0) == batch;
        if (e instanceof OutOfOrderSequenceException && first && isForgotten(batch)) {
            world.onForgotten();
            beginAnew();
            return;
        }
        if (e instanceof OutOfOrderSequenceException && first) {
            throw new AssertionError("everything before was acknowledged: " + e.getMessage());
        }
        if (!(e instanceof RetriableException) && !(e instanceof OutOfOrderSequenceException)) {
            throw new AssertionError("a producer would give up: " + e, e);
        }
        batch.again = true;
    }

    private void answered(Batch batch, long lastOffset, @Nullable Throwable failure) {
        if (failure != null || world.losesMessage()) {
            batch.again = true;
            return;
        }
        underWay.remove(batch);
        world.note("acknowledged " + partition + " " + lastOffset);
        long offset = lastOffset - batch.values.size();
        for (String value : batch.values) {
            world.history(partition).known(++offset, value);
        }
    }

    /** The connection is gone: what was under way has to be sent again. */
    void disconnected() {
        for (Batch batch : underWay) {
            batch.attempt++;
            batch.again = true;
        }
    }

    /** What was acknowledged may be lost: a client that is told so begins anew, and leaves open what it had under way. */
    void beginAnew() {
        id = world.nextProducerId();
        nextSequence = 0;
        underWay.clear();
    }
}
