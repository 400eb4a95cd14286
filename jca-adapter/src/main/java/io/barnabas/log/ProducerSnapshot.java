package io.barnabas.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The bytes of a {@code .snapshot} file, version 1, as Kafka writes them: version i16, CRC-32C u32 of what follows, number of entries
 * i32, and of each producer id i64, epoch i16, last sequence i32, last offset i64, offset delta i32, timestamp i64, coordinator epoch
 * i32, first offset of the open transaction i64.
 */
final class ProducerSnapshot {
    private static final short VERSION = 1;
    private static final int HEADER = 6;
    private static final int ENTRY = 46;

    private ProducerSnapshot() {}

    static byte[] encode(List<Entry> entries) {
        ByteBuffer buffer = ByteBuffer.allocate(HEADER + 4 + entries.size() * ENTRY);
        buffer.putShort(VERSION).putInt(0).putInt(entries.size());
        for (Entry entry : entries) {
            buffer.putLong(entry.producerId)
                    .putShort(entry.epoch)
                    .putInt(entry.lastSequence)
                    .putLong(entry.lastOffset)
                    .putInt(entry.offsetDelta)
                    .putLong(entry.timestamp)
                    .putInt(entry.coordinatorEpoch)
                    .putLong(entry.transactionFirstOffset);
        }
        byte[] bytes = buffer.array();
        buffer.putInt(2, crcOf(bytes));
        return bytes;
    }

    /** Nothing if the bytes are not a whole, undamaged snapshot. */
    static Optional<List<Entry>> decode(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        if (bytes.length < HEADER + 4 || buffer.getShort() != VERSION || buffer.getInt() != crcOf(bytes)) {
            return Optional.empty();
        }
        int count = buffer.getInt();
        if (count < 0 || (long) count * ENTRY != buffer.remaining()) {
            return Optional.empty();
        }
        List<Entry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(new Entry(
                    buffer.getLong(),
                    buffer.getShort(),
                    buffer.getInt(),
                    buffer.getLong(),
                    buffer.getInt(),
                    buffer.getLong(),
                    buffer.getInt(),
                    buffer.getLong()));
        }
        return Optional.of(entries);
    }

    private static int crcOf(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, HEADER, bytes.length - HEADER);
        return (int) crc.getValue();
    }

    /** One producer; -1 for what is unknown. */
    record Entry(
            long producerId,
            short epoch,
            int lastSequence,
            long lastOffset,
            int offsetDelta,
            long timestamp,
            int coordinatorEpoch,
            long transactionFirstOffset) {}
}
