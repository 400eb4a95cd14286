package io.barnabas.log;

import java.nio.channels.FileChannel;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * A range of one segment file, as a Fetch answers it: it leaves the process by {@code transferTo}, uncopied. Whole batches but for
 * the last, which may be cut by the fetch's limit. Holds a reference on its file from {@link PartitionLog#read} until
 * {@link #release}, so that a deleted segment stays readable.
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
