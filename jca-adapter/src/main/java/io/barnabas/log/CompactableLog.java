package io.barnabas.log;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * A log as the {@link LogCompactor} sees it: segments to read, and one atomic step that puts others in their place. The compactor
 * takes none of the log's locks; {@link #replace} refuses if the log has changed in a way that matters.
 */
interface CompactableLog {
    TopicPartition topicPartition();

    LogConfig config();

    LogFolder folder();

    long logStartOffset();

    long logEndOffset();

    long highWatermark();

    /** First offset of the earliest open transaction, or the log end offset. */
    long firstUnstableOffset();

    /** All segments in order; the last is the active one. A copy. */
    List<Segment> segments();

    /** Counts what took records off the log's end, ever: a pass that began under another count is void. */
    int truncations();

    /** What each known producer wrote last, by producer id. A copy. */
    Map<Long, LastRecord> lastRecords();

    /**
     * Puts {@code cleaned}, whose files end in {@code .cleaned}, in the place of {@code originals}, which are
     * deleted: see {@link SegmentStore#swap} for the steps that a crash may part.
     *
     * @return false if {@code truncations} is no longer the count, or an original is no longer a sealed segment of this log; nothing is
     *     changed then
     */
    boolean replace(List<Segment> originals, List<Segment> cleaned, int truncations) throws IOException;

    /** The log was closed, moved or deleted. */
    boolean closed();

    /** The data directory it is in. */
    DiskDirectory disk();

    /** The disk failed under the compactor. */
    void onCompactionFailure(IOException cause);

    /**
     * A producer's last trace in a log.
     *
     * @param dataOffset last offset of its last batch of data; -1 if markers are all that is left
     * @param epoch its present epoch
     */
    record LastRecord(long dataOffset, short epoch) {}
}
