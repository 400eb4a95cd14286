package io.barnabas.log;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * A range of one segment file, as a Fetch answers it: it leaves the process by {@code transferTo}, uncopied. Whole batches but for
 * the last, which may be cut by the fetch's limit. Holds a reference on its file from {@link PartitionLog#read} until
 * {@link #release}, so that a deleted segment stays readable.
 *
 * <p>Threads: one at a time, its owner: who read it, then the event loop that sends it.
 */
public final class LogSlice implements BaseRecords {
    private final FileChannel channel;
    private final long position;
    private final int size;
    private final Runnable onRelease;
    private boolean released; // only the owner of the slice calls release

    public LogSlice(FileChannel channel, long position, int size, Runnable onRelease) {
        this.channel = channel;
        this.position = position;
        this.size = size;
        this.onRelease = onRelease;
    }

    /** The file, for {@code transferTo} and positional reads only. */
    public FileChannel channel() {
        return channel;
    }

    /** Where the slice starts in the file. */
    public long position() {
        return position;
    }

    @Override
    public int sizeInBytes() {
        return size;
    }

    /**
     * Reads the slice into memory, for those that look into the records (coordinators on load, tests).
     *
     * @throws java.io.EOFException if the file is shorter than the slice
     */
    public MemoryRecords toMemory() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, position + bytes.position()) < 0) {
                throw new EOFException("The segment ends within the slice");
            }
        }
        return MemoryRecords.readableRecords(bytes.flip());
    }

    /** Gives the file back. Called once, when the bytes are sent or will not be. Idempotent. */
    public void release() {
        if (!released) {
            released = true;
            onRelease.run();
        }
    }

    /** Not used: the response encoder of {@code wire} writes slices as file regions. */
    @Override
    public RecordsSend<? extends BaseRecords> toSend() {
        throw new IllegalStateException("a LogSlice is written by the response encoder");
    }
}
