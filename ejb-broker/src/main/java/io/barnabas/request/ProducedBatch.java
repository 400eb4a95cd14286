package io.barnabas.request;

import java.nio.ByteBuffer;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/** What Produce asks of a partition's bytes before the log looks at them: fields of the first batch's header, read in place. */
final class ProducedBatch {
    private static final int LENGTH_OFFSET = 8;
    private static final int LENGTH_OVERHEAD = 12;
    private static final int MAGIC_OFFSET = 16;
    private static final int ATTRIBUTES_OFFSET = 21;
    private static final int PRODUCER_ID_OFFSET = 43;
    private static final int PRODUCER_EPOCH_OFFSET = 51;
    private static final int BASE_SEQUENCE_OFFSET = 53;
    private static final int HEADER_BYTES = 61;
    private static final int TRANSACTIONAL = 0x10;
    private static final int CODEC = 0x07;
    private static final short FIRST_VERSION_WITH_ZSTD = 7;

    private ProducedBatch() {}

    /**
     * The records, if they are one batch of magic 2 in a codec that the version allows.
     *
     * @throws InvalidRecordException not exactly one batch, or of an old magic
     * @throws UnsupportedCompressionTypeException zstd before version 7 (KIP-110)
     */
    static MemoryRecords checked(@Nullable BaseRecords records, short version) {
        if (!(records instanceof MemoryRecords memory) || memory.sizeInBytes() < LENGTH_OVERHEAD) {
            throw new InvalidRecordException("A produce request needs one record batch per partition");
        }
        ByteBuffer buffer = memory.buffer();
        int at = buffer.position();
        int left = buffer.remaining();
        if (left > MAGIC_OFFSET && buffer.get(at + MAGIC_OFFSET) != RecordBatch.MAGIC_VALUE_V2) {
            throw new InvalidRecordException("A produce request takes record batches of magic 2 only");
        }
        if (left < HEADER_BYTES) {
            return memory; // too short: the log says what of
        }
        int codec = buffer.getShort(at + ATTRIBUTES_OFFSET) & CODEC;
        if (codec == CompressionType.ZSTD.id && version < FIRST_VERSION_WITH_ZSTD) {
            throw new UnsupportedCompressionTypeException("Produce before version 7 takes no zstd");
        }
        long size = buffer.getInt(at + LENGTH_OFFSET) + (long) LENGTH_OVERHEAD;
        if (size >= HEADER_BYTES && size < left) {
            throw new InvalidRecordException("A produce request takes exactly one record batch per partition");
        }
        return memory;
    }

    static long producerId(MemoryRecords records) {
        return records.buffer().getLong(records.buffer().position() + PRODUCER_ID_OFFSET);
    }

    static short producerEpoch(MemoryRecords records) {
        return records.buffer().getShort(records.buffer().position() + PRODUCER_EPOCH_OFFSET);
    }

    static int baseSequence(MemoryRecords records) {
        return records.buffer().getInt(records.buffer().position() + BASE_SEQUENCE_OFFSET);
    }

    /** Whether the first batch says so; one of an old magic has no such field. */
    static boolean isTransactional(@Nullable BaseRecords records) {
        if (!(records instanceof MemoryRecords memory) || memory.sizeInBytes() < HEADER_BYTES) {
            return false;
        }
        ByteBuffer buffer = memory.buffer();
        int at = buffer.position();
        return buffer.get(at + MAGIC_OFFSET) == RecordBatch.MAGIC_VALUE_V2
                && (buffer.getShort(at + ATTRIBUTES_OFFSET) & TRANSACTIONAL) != 0;
    }
}
