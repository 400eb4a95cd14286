package io.barnabas.coordinator;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Coordinator records to record batches and back, byte for byte as Kafka has them: a key is its type and message, a value its version
 * and message. Keeps one buffer from batch to batch. Confined to the serial executor of its partition; {@link #decode} to none.
 */
final class BatchEncoder {
    private static final int INITIAL_BYTES = 512;
    private static final int KEPT_BYTES = 64 * 1024;

    private ByteBuffer buffer = ByteBuffer.allocate(INITIAL_BYTES);

    /**
     * Encodes records into one batch.
     *
     * @param outcome whose records they are: of a transaction or not; divisible, and so cut where the next one would not fit, or not
     * @return the batch, valid until the next call, and how many of {@code records} are in it
     * @throws RecordTooLargeException what must be in one batch does not fit
     */
    Encoded encode(List<CoordinatorRecord> records, long nowMs, int maxBytes, Outcome outcome) {
        buffer.clear();
        MemoryRecordsBuilder builder = builder(nowMs, maxBytes, outcome.transaction());
        int count = 0;
        for (CoordinatorRecord record : records) {
            byte[] key = MessageUtil.toCoordinatorTypePrefixedBytes(record.key());
            byte @Nullable [] value = record.value() == null
                    ? null
                    : MessageUtil.toVersionPrefixedBytes(record.valueVersion(), record.value());
            if (outcome.isDivisible() && count > 0 && !builder.hasRoomFor(nowMs, key, value, Record.EMPTY_HEADERS)) {
                break;
            }
            builder.append(nowMs, key, value);
            count++;
        }
        MemoryRecords batch = builder.build();
        if (batch.sizeInBytes() > maxBytes) {
            throw new RecordTooLargeException(
                    "a batch of " + count + " records has " + batch.sizeInBytes() + " bytes of at most " + maxBytes);
        }
        keep(batch.buffer());
        return new Encoded(batch, count);
    }

    private MemoryRecordsBuilder builder(long nowMs, int maxBytes, @Nullable TransactionalBatch transaction) {
        if (transaction == null) {
            return MemoryRecords.builder(buffer, Compression.NONE, TimestampType.CREATE_TIME, 0L, maxBytes);
        }
        return new MemoryRecordsBuilder(
                buffer,
                RecordBatch.CURRENT_MAGIC_VALUE,
                Compression.NONE,
                TimestampType.CREATE_TIME,
                0L,
                nowMs,
                transaction.producerId(),
                transaction.producerEpoch(),
                0, // coordinators count no sequences
                true,
                false,
                RecordBatch.NO_PARTITION_LEADER_EPOCH,
                maxBytes);
    }

    /** A record of the log, or null if its type is passed over. */
    static @Nullable CoordinatorRecord decode(Record record, RecordTypes types) {
        ByteBuffer keyBytes = record.key();
        short type = keyBytes.getShort();
        @Nullable ApiMessage key = types.newKey(type);
        if (key == null) {
            return null;
        }
        key.read(new ByteBufferAccessor(keyBytes), (short) 0);
        if (!record.hasValue()) {
            return CoordinatorRecord.tombstone(key);
        }
        @Nullable ApiMessage value = types.newValue(type);
        if (value == null) {
            return CoordinatorRecord.of(key, OpaqueValue.INSTANCE, 0);
        }
        ByteBuffer valueBytes = record.value();
        short version = valueBytes.getShort();
        if (version < value.lowestSupportedVersion() || version > value.highestSupportedVersion()) {
            throw new IllegalStateException("record type " + type + " has the unknown value version " + version);
        }
        value.read(new ByteBufferAccessor(valueBytes), version);
        return CoordinatorRecord.of(key, value, version);
    }

    private void keep(ByteBuffer used) {
        if (used.capacity() > buffer.capacity() && used.capacity() <= KEPT_BYTES && used.hasArray()) {
            buffer = ByteBuffer.allocate(used.capacity());
        }
    }

    /** A batch and the number of records in it. */
    record Encoded(MemoryRecords batch, int count) {}
}
