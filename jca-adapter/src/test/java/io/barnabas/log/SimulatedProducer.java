package io.barnabas.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/** A client of a simulated log: sends a batch again until it is answered, as an idempotent producer does. */
final class SimulatedProducer {
    private static final int KEYS = 12;

    final long id; // -1: not idempotent
    short epoch;
    int nextSequence;
    private int sent;

    @Nullable
    Batch pending;

    SimulatedProducer(long id) {
        this.id = id;
    }

    /** One record as the model keeps it. */
    record Item(
            long producerId,
            short epoch,
            int sequence,
            String key,
            @Nullable String value) {}

    /** What is sent; the same bytes at every retry. */
    record Batch(List<Item> items, long timestamp, CompressionType codec) {
        MemoryRecords bytes() {
            Item first = items.get(0);
            MemoryRecordsBuilder builder = MemoryRecords.builder(
                    ByteBuffer.allocate(512),
                    (byte) 2,
                    Compression.of(codec).build(),
                    TimestampType.CREATE_TIME,
                    0L,
                    -1L,
                    first.producerId(),
                    first.producerId() < 0 ? -1 : first.epoch(),
                    first.producerId() < 0 ? -1 : first.sequence(),
                    false,
                    -1);
            for (Item item : items) {
                builder.append(new SimpleRecord(
                        timestamp, ProducedBatch.bytes(item.key()), ProducedBatch.bytes(item.value())));
            }
            return builder.build();
        }
    }

    Batch next(Random random, long nowMs) {
        Batch again = pending;
        if (again != null) {
            return again;
        }
        List<Item> items = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(4); i++) {
            String key = "k" + random.nextInt(KEYS);
            String value = id + "/" + sent++ + "x".repeat(random.nextInt(60));
            items.add(new Item(id, epoch, nextSequence + i, key, random.nextInt(8) == 0 ? null : value));
        }
        CompressionType codec = random.nextInt(3) == 0 ? CompressionType.LZ4 : CompressionType.NONE;
        Batch batch = new Batch(items, nowMs, codec);
        pending = batch;
        return batch;
    }

    void answered(Batch batch) {
        pending = null;
        nextSequence += batch.items().size();
    }

    /** What was acknowledged is gone: a client that is told so begins a new epoch. */
    void beginAnew() {
        epoch++;
        nextSequence = 0;
        pending = null;
    }
}
