package io.barnabas.log;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Judges what a client produced, in the order of a Kafka broker: where several things are wrong, the same one is reported. Framing,
 * base offset, size, CRC, then the header's counts and flags, then the records; then what the topic wants changed is changed.
 *
 * <p>Stricter than Kafka where Kafka would store what no consumer can read, or answers UNKNOWN_SERVER_ERROR: offset deltas must
 * count up from 0, a record must be as long as it says under every codec, bytes after the batch, an unknown codec and a stream that
 * does not decompress are INVALID_RECORD, and the LogAppendTime bit is refused under CreateTime too.
 *
 * <p>Comes after the request's decoding and before {@code BatchAppender}, on the connection's event loop. Safe from any thread.
 */
final class RecordBatchValidator implements BatchValidator {
    private static final int CODEC_MASK = 0x07;
    private static final int LOG_APPEND_TIME = 0x08;
    private static final byte MAGIC = RecordBatch.MAGIC_VALUE_V2;
    /** The smallest length field any record format has: below it the bytes are no batch at all. */
    private static final int MIN_LENGTH = 14;

    /** Walkers kept for reuse: not in a ThreadLocal, which would tie the threads of a container to our class loader. */
    private static final int KEPT_WALKERS = 16;

    private final AtomicReferenceArray<RecordWalker> idle = new AtomicReferenceArray<>(KEPT_WALKERS);
    private final HeaderValidator headers = new HeaderValidator();

    @Override
    public ValidatedBatch validate(MemoryRecords records, AppendOrigin origin, LogConfig config, long nowMs) {
        return switch (origin) {
            case CLIENT -> validateProduced(records.buffer(), config, nowMs);
            case COORDINATOR -> validateOwn(headers.validate(records, origin, config, nowMs), config, nowMs);
            case REPLICATION -> headers.validate(records, origin, config, nowMs);
        };
    }

    private ValidatedBatch validateProduced(ByteBuffer buffer, LogConfig config, long nowMs) {
        int at = buffer.position();
        int size = framedSize(buffer, at);
        checkEnvelope(buffer, at, size, config);
        checkHeader(buffer, at);
        long maxTimestamp = walk(buffer, at, size, config, nowMs);

        CompressionType source = CompressionType.forId(BatchHeader.attributes(buffer, at) & CODEC_MASK);
        CompressionType target = Recompressor.target(config, source);
        int count = BatchHeader.recordCount(buffer, at);
        ByteBuffer good = target == source ? buffer : Recompressor.recompress(buffer, at, size, target, config);
        requireFitsSegment(good, config);
        boolean logAppendTime = config.messageTimestampType() == TimestampType.LOG_APPEND_TIME;
        stampTime(good, good.position(), logAppendTime, logAppendTime ? nowMs : maxTimestamp);
        return new ValidatedBatch(good, count, logAppendTime ? nowMs : RecordBatch.NO_TIMESTAMP);
    }

    /** A coordinator's batches are right by construction; the topic's size limit and timestamp type hold for them as well. */
    private static ValidatedBatch validateOwn(ValidatedBatch own, LogConfig config, long nowMs) {
        ByteBuffer buffer = own.buffer();
        requireFitsSegment(buffer, config);
        if (config.messageTimestampType() != TimestampType.LOG_APPEND_TIME) {
            return own;
        }
        for (int at = buffer.position(); at < buffer.limit(); at += BatchHeader.sizeInBytes(buffer, at)) {
            stampTime(buffer, at, true, nowMs);
        }
        return new ValidatedBatch(buffer, own.records(), nowMs);
    }

    /** Exactly one whole batch of magic 2; its size. */
    private static int framedSize(ByteBuffer buffer, int at) {
        int left = buffer.limit() - at;
        if (left < BatchHeader.LENGTH_OVERHEAD) {
            throw new InvalidRecordException(
                    "A partition's data must hold one record batch, it holds " + left + " bytes");
        }
        int length = buffer.getInt(at + BatchHeader.LENGTH);
        if (length < MIN_LENGTH) {
            throw new CorruptRecordException("A record batch of length " + length);
        }
        if (left <= BatchHeader.MAGIC) {
            throw new InvalidRecordException(
                    "A partition's data must hold one record batch, it holds " + left + " bytes");
        }
        byte magic = BatchHeader.magic(buffer, at);
        if (magic < 0 || magic > MAGIC) {
            throw new CorruptRecordException("A record batch of magic " + magic);
        }
        long size = (long) length + BatchHeader.LENGTH_OVERHEAD;
        if (size > left || magic != MAGIC) {
            throw new InvalidRecordException("A partition's data must hold one record batch of magic 2");
        }
        if (size < left) {
            throw new InvalidRecordException("A partition's data must hold exactly one record batch");
        }
        return (int) size;
    }

    private static void checkEnvelope(ByteBuffer buffer, int at, int size, LogConfig config) {
        if (BatchHeader.baseOffset(buffer, at) != 0) {
            throw new InvalidRecordException(
                    "A produced batch has base offset 0, not " + BatchHeader.baseOffset(buffer, at));
        }
        if (size > config.maxMessageBytes()) {
            throw new RecordTooLargeException(
                    "The batch of " + size + " bytes exceeds max.message.bytes " + config.maxMessageBytes());
        }
        if (size < BatchHeader.SIZE || !BatchHeader.crcMatches(buffer, at, size)) {
            throw new CorruptRecordException("The record batch's CRC does not match");
        }
    }

    private static void checkHeader(ByteBuffer buffer, int at) {
        if ((BatchHeader.attributes(buffer, at) & CODEC_MASK) > CompressionType.ZSTD.id) {
            throw new InvalidRecordException("Unknown compression in attributes " + BatchHeader.attributes(buffer, at));
        }
        int lastOffsetDelta = BatchHeader.lastOffsetDelta(buffer, at);
        int count = BatchHeader.recordCount(buffer, at);
        if (lastOffsetDelta < 0 || count <= 0 || (long) lastOffsetDelta + 1 != count) {
            throw new InvalidRecordException(
                    "A batch of " + count + " records with the last offset delta " + lastOffsetDelta);
        }
        if (BatchHeader.isControl(buffer, at)) {
            throw new InvalidRecordException("Clients may not write control records");
        }
        if (BatchHeader.producerId(buffer, at) >= 0 && BatchHeader.baseSequence(buffer, at) < 0) {
            throw new InvalidRecordException("Producer " + BatchHeader.producerId(buffer, at) + " sent the sequence "
                    + BatchHeader.baseSequence(buffer, at));
        }
    }

    private long walk(ByteBuffer buffer, int at, int size, LogConfig config, long nowMs) {
        int slot = (int) (Thread.currentThread().getId() % KEPT_WALKERS);
        RecordWalker kept = idle.getAndSet(slot, null);
        RecordWalker walker = kept != null ? kept : new RecordWalker();
        try {
            return walker.walk(buffer, at, size, config, nowMs);
        } finally {
            idle.set(slot, walker);
        }
    }

    private static void requireFitsSegment(ByteBuffer batches, LogConfig config) {
        if (batches.remaining() > config.segmentBytes()) {
            throw new RecordBatchTooLargeException(
                    batches.remaining() + " bytes do not fit into a segment of " + config.segmentBytes());
        }
    }

    /** Sets the timestamp type and the greatest timestamp; the CRC is computed again only if they were not right before. */
    private static void stampTime(ByteBuffer buffer, int at, boolean logAppendTime, long maxTimestamp) {
        short attributes = BatchHeader.attributes(buffer, at);
        int wanted = logAppendTime ? attributes | LOG_APPEND_TIME : attributes & ~LOG_APPEND_TIME;
        if (wanted == attributes && BatchHeader.maxTimestamp(buffer, at) == maxTimestamp) {
            return;
        }
        buffer.putShort(at + BatchHeader.ATTRIBUTES, (short) wanted);
        buffer.putLong(at + BatchHeader.MAX_TIMESTAMP, maxTimestamp);
        BatchHeader.stampCrc(buffer, at, BatchHeader.sizeInBytes(buffer, at));
    }
}
