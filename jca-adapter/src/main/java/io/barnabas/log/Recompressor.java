package io.barnabas.log;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

/**
 * Gives a batch the compression its topic asks for ({@code compression.type} other than {@code producer}). Records of a batch are the
 * same bytes under every codec, relative to the header; so they are piped from one codec into the other through one chunk, and no
 * record is built. Runs on the appending thread, before the log's lock.
 */
final class Recompressor {
    private static final int CODEC_MASK = 0x07;
    private static final int CHUNK_BYTES = 16 * 1024;

    private Recompressor() {}

    /** The codec that {@code config} wants for a batch that came with {@code source}. */
    static CompressionType target(LogConfig config, CompressionType source) {
        return switch (config.compressionType()) {
            case "producer" -> source;
            case "uncompressed" -> CompressionType.NONE;
            default -> CompressionType.forName(config.compressionType());
        };
    }

    /**
     * Copies the good batch at {@code at} into a new buffer, compressed with {@code target}. Everything in the header stays but length,
     * codec and CRC.
     *
     * @throws RecordTooLargeException as soon as the copy exceeds max.message.bytes, so that a small batch cannot become a big one
     */
    static ByteBuffer recompress(ByteBuffer buffer, int at, int size, CompressionType target, LogConfig config) {
        ByteBuffer batch = buffer.slice(at, size);
        CompressionType source = CompressionType.forId(BatchHeader.attributes(batch, 0) & CODEC_MASK);
        ByteBufferOutputStream out = new ByteBufferOutputStream(size + BatchHeader.SIZE);
        out.write(batch.slice(0, BatchHeader.SIZE));
        try (InputStream records = open(source, batch);
                OutputStream packed = compression(target, config).wrapForOutput(out, RecordBatch.MAGIC_VALUE_V2)) {
            pipe(records, packed, out, config.maxMessageBytes());
        } catch (IOException e) {
            throw new InvalidRecordException("The batch cannot be compressed as its topic asks", e);
        }
        requireSize(out, config.maxMessageBytes());
        ByteBuffer copy = out.buffer();
        copy.flip();
        short attributes = BatchHeader.attributes(copy, 0);
        copy.putShort(BatchHeader.ATTRIBUTES, (short) ((attributes & ~CODEC_MASK) | target.id));
        copy.putInt(BatchHeader.LENGTH, copy.limit() - BatchHeader.LENGTH_OVERHEAD);
        BatchHeader.stampCrc(copy, 0, copy.limit());
        return copy;
    }

    private static InputStream open(CompressionType source, ByteBuffer batch) {
        if (source == CompressionType.NONE) {
            ByteBuffer payload = batch.duplicate().position(BatchHeader.SIZE);
            return Compression.NONE.wrapForInput(payload, RecordBatch.MAGIC_VALUE_V2, BufferSupplier.NO_CACHING);
        }
        return RecordWalker.inflate(source, batch, BufferSupplier.NO_CACHING);
    }

    private static void pipe(InputStream from, OutputStream to, ByteBufferOutputStream written, int maxBytes)
            throws IOException {
        byte[] chunk = new byte[CHUNK_BYTES];
        int read;
        while ((read = from.read(chunk, 0, CHUNK_BYTES)) > 0) {
            to.write(chunk, 0, read);
            requireSize(written, maxBytes);
        }
    }

    private static void requireSize(ByteBufferOutputStream written, int maxBytes) {
        if (written.position() > maxBytes) {
            throw new RecordTooLargeException(
                    "The batch, compressed as its topic asks, exceeds max.message.bytes " + maxBytes);
        }
    }

    private static Compression compression(CompressionType type, LogConfig config) {
        return switch (type.name) {
            case "gzip" -> Compression.gzip().level(config.gzipLevel()).build();
            case "lz4" -> Compression.lz4().level(config.lz4Level()).build();
            case "zstd" -> Compression.zstd().level(config.zstdLevel()).build();
            case "snappy" -> Compression.snappy().build();
            default -> Compression.NONE;
        };
    }
}
