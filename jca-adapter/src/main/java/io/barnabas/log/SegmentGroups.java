package io.barnabas.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Which neighbouring segments are rewritten into one: together no larger than segment.bytes and an index, and within 31-bit offsets. */
final class SegmentGroups {
    private final LogConfig config;
    private final List<List<Segment>> groups = new ArrayList<>();
    private List<Segment> group = List.of();
    private long bytes;
    private long indexEntries;
    private long timeEntries;

    private SegmentGroups(LogConfig config) {
        this.config = config;
    }

    /** @param endOffset the offset behind the last of {@code segments} */
    static List<List<Segment>> of(List<Segment> segments, LogConfig config, long endOffset) throws IOException {
        SegmentGroups groups = new SegmentGroups(config);
        for (int i = 0; i < segments.size(); i++) {
            long next = i + 1 < segments.size() ? segments.get(i + 1).baseOffset() : endOffset;
            groups.add(segments.get(i), next - 1);
        }
        return groups.groups;
    }

    private void add(Segment segment, long lastOffset) throws IOException {
        long newBytes = bytes + segment.size();
        long newIndexEntries = indexEntries + segment.offsets().file().count();
        long newTimeEntries = timeEntries + segment.times().file().count();
        boolean fits = !group.isEmpty()
                && newBytes <= config.segmentBytes()
                && newIndexEntries <= config.segmentIndexBytes() / OffsetIndex.ENTRY_SIZE
                && newTimeEntries <= config.segmentIndexBytes() / TimeIndex.ENTRY_SIZE
                && (segment.size() == 0 || lastOffset - group.get(0).baseOffset() <= Integer.MAX_VALUE);
        if (fits) {
            bytes = newBytes;
            indexEntries = newIndexEntries;
            timeEntries = newTimeEntries;
        } else {
            group = new ArrayList<>();
            groups.add(group);
            bytes = segment.size();
            indexEntries = segment.offsets().file().count();
            timeEntries = segment.times().file().count();
        }
        group.add(segment);
    }
}
