package io.barnabas.log;

import java.nio.ByteBuffer;
import org.apache.kafka.common.InvalidRecordException;

/**
 * Checks the lengths in a snappy stream before the library sees it. snappy-java allocates what a length field says, up to half a
 * gigabyte a block and two for an unframed stream, before it looks whether the bytes are there; a few bytes from a client must not
 * cost that.
 */
final class SnappyFrames {
    /** Three bytes of snappy (a copy with a two-byte offset) make at most 64: more than 22 to 1 cannot be. */
    private static final int MAX_RATIO = 22;

    private static final long MAGIC = 0x82534e4150505900L; // 0x82 SNAPPY 0x00, of the framing that Java clients use
    private static final int MAGIC_HEAD = (int) (MAGIC >>> 32);
    private static final int HEADER_BYTES = 16;

    private SnappyFrames() {}

    /** @throws InvalidRecordException if a length between {@code from} and {@code to} cannot be true */
    static void check(ByteBuffer buffer, int from, int to) {
        if (to - from < HEADER_BYTES || buffer.getLong(from) != MAGIC) {
            checkBlock(buffer, from, to);
            return;
        }
        int at = from + HEADER_BYTES;
        while (to - at >= Integer.BYTES) {
            int blockBytes = buffer.getInt(at);
            if (blockBytes == MAGIC_HEAD) {
                at += HEADER_BYTES; // a second stream follows the first
                continue;
            }
            at += Integer.BYTES;
            if (blockBytes < 0 || blockBytes > to - at) {
                throw new InvalidRecordException("A snappy block of " + blockBytes + " bytes in " + (to - at));
            }
            checkBlock(buffer, at, at + blockBytes);
            at += blockBytes;
        }
    }

    private static void checkBlock(ByteBuffer buffer, int from, int to) {
        long inflated = 0;
        int at = from;
        for (int shift = 0; at < to && shift <= 28; shift += 7) {
            byte b = buffer.get(at++);
            inflated |= (b & 0x7fL) << shift;
            if (b >= 0) {
                break;
            }
        }
        if (inflated > (long) MAX_RATIO * (to - from)) {
            throw new InvalidRecordException("A snappy block of " + (to - from) + " bytes claims to hold " + inflated);
        }
    }
}
