package io.barnabas.log;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Walks the records of one batch and judges each, without an object a record: keys, values and headers are stepped over.
 *
 * <p>Damage to the structure ends the walk at once; a record that is merely not allowed is noted and the walk goes on, since the
 * producer is told of all of them. Comes after the header's checks ({@link RecordBatchValidator}). Holds buffers that are worth
 * keeping between batches; used by one thread at a time.
 */
final class RecordWalker {
    private static final int CODEC_MASK = 0x07;
    private static final int LOG_APPEND_TIME = 0x08;

    private final RecordReader reader = new RecordReader();
    private final BufferSupplier buffers = BufferSupplier.create();

    private LogConfig config = LogConfig.defaults();
    private long nowMs;
    private boolean compressed;
    private boolean claimsLogAppendTime;
    private long baseTimestamp;
    private long maxTimestamp;
    private boolean badTimestamp;
    private @Nullable List<RejectedRecords.RecordError> errors;

    /**
     * Walks the batch at {@code at}, whose header and CRC are good.
     *
     * @return the greatest timestamp of its records, or -1 if none has any
     * @throws org.apache.kafka.common.errors.ApiException what is wrong; a {@link RejectedRecords} if single records are to blame
     */
    long walk(ByteBuffer buffer, int at, int size, LogConfig config, long nowMs) {
        short attributes = BatchHeader.attributes(buffer, at);
        CompressionType codec = CompressionType.forId(attributes & CODEC_MASK);
        this.config = config;
        this.nowMs = nowMs;
        compressed = codec != CompressionType.NONE;
        claimsLogAppendTime = (attributes & LOG_APPEND_TIME) != 0;
        baseTimestamp = buffer.getLong(at + BatchHeader.BASE_TIMESTAMP);
        maxTimestamp = RecordBatch.NO_TIMESTAMP;
        badTimestamp = false;
        errors = null;
        int count = BatchHeader.recordCount(buffer, at);
        try {
            if (compressed) {
                walkCompressed(codec, buffer.slice(at, size), count);
            } else {
                reader.open(buffer, at + BatchHeader.SIZE, at + size);
                walkRecords(count);
            }
        } finally {
            reader.release();
        }
        throwRecordErrors();
        return maxTimestamp;
    }

    /** A stream of what {@code batch}, a whole compressed batch, holds. The caller closes it. */
    static InputStream inflate(CompressionType codec, ByteBuffer batch, BufferSupplier buffers) {
        if (codec == CompressionType.SNAPPY) {
            SnappyFrames.check(batch, BatchHeader.SIZE, batch.limit());
        }
        ByteBuffer payload = batch.duplicate().position(BatchHeader.SIZE);
        try {
            return Compression.of(codec).build().wrapForInput(payload, RecordBatch.MAGIC_VALUE_V2, buffers);
        } catch (RuntimeException e) {
            throw new InvalidRecordException("The batch does not decompress", e);
        }
    }

    private void walkCompressed(CompressionType codec, ByteBuffer batch, int count) {
        try (InputStream inflater = inflate(codec, batch, buffers)) {
            reader.open(inflater);
            walkRecords(count);
        } catch (IOException e) {
            throw new InvalidRecordException("The batch does not decompress", e);
        }
    }

    private void walkRecords(int count) {
        for (int index = 0; index < count; index++) {
            walkRecord(index);
        }
        if (!reader.atEnd()) {
            throw new InvalidRecordException("Bytes follow the last of " + count + " records");
        }
    }

    private void walkRecord(int index) {
        int length = reader.varint();
        if (length < 0 || (compressed && length > config.maxDecompressedMessageBytes())) {
            throw new InvalidRecordException("Record " + index + " has a length of " + length);
        }
        long end = reader.position() + length;
        byte attributes = reader.next();
        long timestamp = baseTimestamp + reader.varlong();
        int offsetDelta = reader.varint();
        if (offsetDelta != index) {
            throw new InvalidRecordException("Record " + index + " has the offset delta " + offsetDelta);
        }
        int keyLength = skipField(end);
        skipField(end);
        walkHeaders(end);
        if (reader.position() != end) {
            throw new InvalidRecordException("Record " + index + " is not as long as it says");
        }
        judge(index, attributes, timestamp, keyLength >= 0);
    }

    /** Steps over a length and so many bytes; a negative length is a null. */
    private int skipField(long end) {
        int length = reader.varint();
        if (length > end - reader.position()) {
            throw new InvalidRecordException("A field of " + length + " bytes reaches beyond its record");
        }
        reader.skip(length);
        return length;
    }

    private void walkHeaders(long end) {
        int count = reader.varint();
        if (count < 0 || count > end - reader.position()) {
            throw new InvalidRecordException("A record claims " + count + " headers");
        }
        for (int i = 0; i < count; i++) {
            if (skipField(end) < 0) {
                throw new InvalidRecordException("A header's key is null");
            }
            skipField(end);
        }
    }

    private void judge(int index, byte attributes, long timestamp, boolean hasKey) {
        if (timestamp > maxTimestamp) {
            maxTimestamp = timestamp;
        }
        if (compressed && (attributes & CODEC_MASK) != 0) {
            reject(index, "A record of a compressed batch is marked as compressed itself");
        } else if (config.compact() && !hasKey) {
            reject(index, "A compacted topic takes no record without a key");
        } else if (claimsLogAppendTime) {
            badTimestamp = true;
            reject(index, "A producer may not set the timestamp type to LogAppendTime");
        } else if (isOutOfTime(timestamp)) {
            badTimestamp = true;
            reject(index, "Timestamp " + timestamp + " is too far from the broker's time " + nowMs);
        }
    }

    private boolean isOutOfTime(long timestamp) {
        if (config.messageTimestampType() != TimestampType.CREATE_TIME || timestamp == RecordBatch.NO_TIMESTAMP) {
            return false;
        }
        long age = nowMs - timestamp;
        return age > config.messageTimestampBeforeMaxMs() || -age > config.messageTimestampAfterMaxMs();
    }

    private void reject(int index, String message) {
        List<RejectedRecords.RecordError> list = errors;
        if (list == null) {
            list = new ArrayList<>();
            errors = list;
        }
        if (list.size() < RejectedRecords.MAX_ERRORS) {
            list.add(new RejectedRecords.RecordError(index, message));
        }
    }

    private void throwRecordErrors() {
        List<RejectedRecords.RecordError> list = errors;
        if (list == null) {
            return;
        }
        errors = null;
        if (badTimestamp) {
            throw new RejectedRecords.InvalidTimestamps(list);
        }
        throw new RejectedRecords.InvalidRecords(list);
    }
}
