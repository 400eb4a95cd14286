package io.barnabas.log;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/** Makes record batches as a producer does, and damages them with a good CRC, so that what lies behind the CRC is reached. */
final class ProducedBatch {
    static final long NOW = 1_700_000_000_000L;

    private ProducedBatch() {}

    static SimpleRecord record(@Nullable String key, @Nullable String value) {
        return new SimpleRecord(NOW, bytes(key), bytes(value));
    }

    static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static ByteBuffer of(CompressionType codec, SimpleRecord... records) {
        return of(codec, -1L, (short) -1, -1, records);
    }

    static ByteBuffer of(CompressionType codec, long producerId, short epoch, int sequence, SimpleRecord... records) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(
                ByteBuffer.allocate(1024),
                (byte) 2,
                Compression.of(codec).build(),
                TimestampType.CREATE_TIME,
                0L,
                -1L,
                producerId,
                epoch,
                sequence,
                false,
                -1);
        for (SimpleRecord record : records) {
            builder.append(record);
        }
        return direct(builder.build().buffer());
    }

    /** A direct copy, as requests arrive. */
    static ByteBuffer direct(ByteBuffer bytes) {
        ByteBuffer copy = ByteBuffer.allocateDirect(bytes.remaining());
        return copy.put(bytes.duplicate()).flip();
    }

    /** A copy changed by {@code damage}, its length field and CRC right again. */
    static ByteBuffer damaged(ByteBuffer batch, Consumer<ByteBuffer> damage) {
        ByteBuffer copy = direct(batch);
        damage.accept(copy);
        BatchHeader.stampCrc(copy, 0, copy.limit());
        return copy;
    }

    /** A batch of {@code header}'s header and other bytes behind it. */
    static ByteBuffer withPayload(ByteBuffer header, byte[] payload) {
        ByteBuffer copy = ByteBuffer.allocateDirect(BatchHeader.SIZE + payload.length);
        copy.put(header.slice(0, BatchHeader.SIZE)).put(payload).flip();
        copy.putInt(BatchHeader.LENGTH, copy.limit() - BatchHeader.LENGTH_OVERHEAD);
        BatchHeader.stampCrc(copy, 0, copy.limit());
        return copy;
    }

    static MemoryRecords records(ByteBuffer batch) {
        return MemoryRecords.readableRecords(batch);
    }
}
