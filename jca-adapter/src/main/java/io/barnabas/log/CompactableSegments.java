package io.barnabas.log;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** A {@link SegmentedLog} as the compactor sees it. */
record CompactableSegments(SegmentedLog log) implements CompactableLog {
    @Override
    public TopicPartition topicPartition() {
        return log.topicPartition();
    }

    @Override
    public LogConfig config() {
        return log.config();
    }

    @Override
    public LogFolder folder() {
        return log.folder();
    }

    @Override
    public long logStartOffset() {
        return log.logStartOffset();
    }

    @Override
    public long logEndOffset() {
        return log.logEndOffset();
    }

    @Override
    public long highWatermark() {
        return log.compactableBelow();
    }

    @Override
    public long firstUnstableOffset() {
        return log.firstUnstableOffset();
    }

    @Override
    public List<Segment> segments() {
        return List.of(log.view().segments());
    }

    @Override
    public int truncations() {
        return log.truncations();
    }

    @Override
    public Map<Long, LastRecord> lastRecords() {
        return log.lastRecords();
    }

    @Override
    public boolean replace(List<Segment> originals, List<Segment> cleaned, int truncations) {
        return log.replaceSegments(cleaned, originals, truncations);
    }

    @Override
    public boolean closed() {
        return log.closed();
    }

    @Override
    public DiskDirectory disk() {
        return log.disk();
    }

    @Override
    public void onCompactionFailure(IOException cause) {
        log.disk().failed("Compaction of " + log.topicPartition(), cause);
    }
}
