package io.barnabas.metadata;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * One entry of the metadata log: the records of one command, which take effect together or not at all.
 *
 * <p>The records are messages of Kafka's metadata log. Layout: a format byte (0), the base index and the number of records as
 * varints, then for each record its api key, version and length as varints and its body.
 *
 * @param baseIndex {@link MetadataImage#index} of the image the command was decided on. An entry is void unless the state it meets has
 *     that index: a proposal of unknown outcome, a deposed controller's, or a second copy changes nothing.
 * @param records in the order in which they are replayed
 */
public record MetadataEntry(long baseIndex, List<ApiMessage> records) {
    /** Longest entry that is proposed, in bytes: about 80,000 partitions. */
    public static final int BYTES_MAX = 8 * 1024 * 1024;

    private static final byte FORMAT = 0;
    /** Bytes of the format and of the longest two varints after it. */
    private static final int HEADER_BYTES_MAX = 1 + 10 + 5;
    /** Bytes of a record's three varints at most. */
    private static final int RECORD_OVERHEAD_MAX = 15;

    /**
     * The entry's bytes.
     *
     * @throws RecordTooLargeException if they were more than {@link #BYTES_MAX}
     */
    public byte[] encode() {
        return encode(BYTES_MAX);
    }

    byte[] encode(int bytesMax) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        int[] sizes = new int[records.size()];
        long total = HEADER_BYTES_MAX;
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = sizeOf(records.get(i), cache);
            total += sizes[i] + RECORD_OVERHEAD_MAX;
        }
        if (total > bytesMax) {
            throw new RecordTooLargeException(
                    "The change needs " + total + " bytes of the metadata log, which takes at most " + bytesMax
                            + " at once; make it in several steps");
        }
        ByteBuffer buffer = ByteBuffer.allocate((int) total);
        ByteBufferAccessor out = new ByteBufferAccessor(buffer);
        out.writeByte(FORMAT);
        out.writeVarlong(baseIndex);
        out.writeUnsignedVarint(sizes.length);
        for (int i = 0; i < sizes.length; i++) {
            writeRecord(records.get(i), sizes[i], cache, out);
        }
        byte[] bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return bytes;
    }

    private static int sizeOf(ApiMessage record, ObjectSerializationCache cache) {
        MessageSizeAccumulator size = new MessageSizeAccumulator();
        record.addSize(size, cache, record.highestSupportedVersion());
        return size.totalSize();
    }

    private static void writeRecord(
            ApiMessage record, int size, ObjectSerializationCache cache, ByteBufferAccessor out) {
        out.writeUnsignedVarint(record.apiKey());
        out.writeUnsignedVarint(record.highestSupportedVersion());
        out.writeUnsignedVarint(size);
        record.write(out, cache, record.highestSupportedVersion());
    }

    /**
     * Reads an entry.
     *
     * @throws CorruptRecordException if the bytes are not an entry, or of a format, record or version that this program does not know
     */
    public static MetadataEntry decode(byte[] bytes) {
        try {
            ByteBufferAccessor in = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
            byte format = in.readByte();
            if (format != FORMAT) {
                throw new CorruptRecordException("Metadata entry of unknown format " + format);
            }
            long baseIndex = in.readVarlong();
            int count = in.readUnsignedVarint();
            List<ApiMessage> records = new ArrayList<>(Math.min(count, bytes.length));
            for (int i = 0; i < count; i++) {
                records.add(readRecord(in));
            }
            if (in.remaining() > 0) {
                throw new CorruptRecordException("Metadata entry with " + in.remaining() + " bytes too many");
            }
            return new MetadataEntry(baseIndex, records);
        } catch (CorruptRecordException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new CorruptRecordException("Metadata entry cannot be read: " + e.getMessage(), e);
        }
    }

    private static ApiMessage readRecord(ByteBufferAccessor in) {
        short key = (short) in.readUnsignedVarint();
        short version = (short) in.readUnsignedVarint();
        int size = in.readUnsignedVarint();
        ApiMessage record = MetadataRecordType.fromId(key).newMetadataRecord();
        if (version < record.lowestSupportedVersion() || version > record.highestSupportedVersion()) {
            throw new CorruptRecordException("Metadata record " + key + " of unknown version " + version);
        }
        int after = in.remaining() - size;
        record.read(in, version);
        if (in.remaining() != after) {
            throw new CorruptRecordException(
                    "Metadata record " + key + " has not the length of its version " + version);
        }
        return record;
    }
}
