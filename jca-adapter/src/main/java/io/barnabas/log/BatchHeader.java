package io.barnabas.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Reads and stamps the 61-byte header of a record batch (magic 2) in place: no object a batch, no copy.
 *
 * <p>Base offset, length, leader epoch and magic lie before the CRC and outside it, so the leader stamps offset and epoch without
 * computing it again. Every method takes the buffer and the batch's first byte; positions and limits are not touched.
 */
final class BatchHeader {
    static final int BASE_OFFSET = 0;
    static final int LENGTH = 8;
    static final int LEADER_EPOCH = 12;
    static final int MAGIC = 16;
    static final int CRC = 17;
    static final int ATTRIBUTES = 21;
    static final int LAST_OFFSET_DELTA = 23;
    static final int BASE_TIMESTAMP = 27;
    static final int MAX_TIMESTAMP = 35;
    static final int PRODUCER_ID = 43;
    static final int PRODUCER_EPOCH = 51;
    static final int BASE_SEQUENCE = 53;
    static final int RECORD_COUNT = 57;
    static final int SIZE = 61;
    /** Bytes before the part that the length field counts. */
    static final int LENGTH_OVERHEAD = 12;

    private static final int TRANSACTIONAL = 0x10;
    private static final int CONTROL = 0x20;

    private BatchHeader() {}

    static long baseOffset(ByteBuffer buffer, int at) {
        return buffer.getLong(at + BASE_OFFSET);
    }

    /** Bytes of the whole batch; overflows into negative for a length field near the greatest int. */
    static int sizeInBytes(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LENGTH) + LENGTH_OVERHEAD;
    }

    static int leaderEpoch(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LEADER_EPOCH);
    }

    static byte magic(ByteBuffer buffer, int at) {
        return buffer.get(at + MAGIC);
    }

    static short attributes(ByteBuffer buffer, int at) {
        return buffer.getShort(at + ATTRIBUTES);
    }

    static boolean isTransactional(ByteBuffer buffer, int at) {
        return (attributes(buffer, at) & TRANSACTIONAL) != 0;
    }

    static boolean isControl(ByteBuffer buffer, int at) {
        return (attributes(buffer, at) & CONTROL) != 0;
    }

    static int lastOffsetDelta(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LAST_OFFSET_DELTA);
    }

    static long lastOffset(ByteBuffer buffer, int at) {
        return baseOffset(buffer, at) + lastOffsetDelta(buffer, at);
    }

    static long maxTimestamp(ByteBuffer buffer, int at) {
        return buffer.getLong(at + MAX_TIMESTAMP);
    }

    static long producerId(ByteBuffer buffer, int at) {
        return buffer.getLong(at + PRODUCER_ID);
    }

    static short producerEpoch(ByteBuffer buffer, int at) {
        return buffer.getShort(at + PRODUCER_EPOCH);
    }

    static int baseSequence(ByteBuffer buffer, int at) {
        return buffer.getInt(at + BASE_SEQUENCE);
    }

    /** Sequence of the last record: sequences wrap from the greatest int to 0. */
    static int lastSequence(ByteBuffer buffer, int at) {
        int base = baseSequence(buffer, at);
        if (base < 0) {
            return base;
        }
        int sum = base + lastOffsetDelta(buffer, at);
        return sum >= 0 ? sum : sum + Integer.MIN_VALUE;
    }

    static int recordCount(ByteBuffer buffer, int at) {
        return buffer.getInt(at + RECORD_COUNT);
    }

    /** Stamps what the leader decides. */
    static void stamp(ByteBuffer buffer, int at, long baseOffset, int leaderEpoch) {
        buffer.putLong(at + BASE_OFFSET, baseOffset);
        buffer.putInt(at + LEADER_EPOCH, leaderEpoch);
    }

    /** Whether the stored CRC-32C is that of the bytes from the attributes to the batch's end. */
    static boolean crcMatches(ByteBuffer buffer, int at, int size) {
        return crc(buffer, at, size) == buffer.getInt(at + CRC);
    }

    /** Computes the CRC-32C again, after a change behind it. */
    static void stampCrc(ByteBuffer buffer, int at, int size) {
        buffer.putInt(at + CRC, crc(buffer, at, size));
    }

    private static int crc(ByteBuffer buffer, int at, int size) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.slice(at + ATTRIBUTES, size - ATTRIBUTES));
        return (int) crc.getValue();
    }
}
