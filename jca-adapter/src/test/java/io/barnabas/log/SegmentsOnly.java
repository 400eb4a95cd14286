package io.barnabas.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** The least that compaction needs of a log: segments in a folder, without producers, epochs or locks. For one thread. */
final class SegmentsOnly implements CompactableLog {
    final TopicSettings settings = new TopicSettings();
    final Map<Long, LastRecord> lastRecords = new HashMap<>();
    final List<IOException> failures = new ArrayList<>();
    long highWatermark = -1; // -1: the end
    long firstUnstable = -1;
    int truncations;
    Runnable afterNextLook = () -> {};

    private final TopicPartition partition;
    private final LogFolder folder;
    private final DiskDirectory disk;
    private final Map<Long, Long> openTransactions = new HashMap<>();
    private List<Segment> segments = new ArrayList<>();
    private long end;
    private long start;

    SegmentsOnly(LogFolder folder, TopicPartition partition) throws IOException {
        this.folder = folder;
        this.partition = partition;
        settings.compact = true;
        settings.delete = false;
        settings.minCleanableDirtyRatio = 0;
        folder.files().createDirectories(folder.path());
        disk = new DiskDirectory(
                folder.files(), folder.path().resolveSibling(""), Uuid.ZERO_UUID, () -> {}, Runnable::run);
        segments.add(Segment.create(folder, 0, "", config(), 0));
    }

    void append(CompressionType codec, SimpleRecord... records) throws IOException {
        append(builder(codec, -1, (short) -1, -1, false), records);
    }

    void appendTransactional(long producerId, int sequence, SimpleRecord... records) throws IOException {
        openTransactions.putIfAbsent(producerId, end);
        append(builder(CompressionType.NONE, producerId, (short) 0, sequence, true), records);
        lastRecords.put(producerId, new LastRecord(end - 1, (short) 0));
    }

    void endTransaction(long producerId, boolean commit, long timestamp) throws IOException {
        ControlRecordType type = commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(
                end, timestamp, 0, producerId, (short) 0, new EndTransactionMarker(type, 0));
        long first = openTransactions.remove(producerId);
        if (!commit) {
            active().transactions().append(new TransactionIndex.Aborted(producerId, first, end, end + 1));
        }
        append(marker);
    }

    private MemoryRecordsBuilder builder(CompressionType codec, long producer, short epoch, int sequence, boolean tx) {
        return MemoryRecords.builder(
                ByteBuffer.allocate(512),
                (byte) 2,
                Compression.of(codec).build(),
                TimestampType.CREATE_TIME,
                end,
                -1L,
                producer,
                epoch,
                sequence,
                tx,
                0);
    }

    private void append(MemoryRecordsBuilder builder, SimpleRecord... records) throws IOException {
        for (SimpleRecord record : records) {
            builder.append(record);
        }
        append(builder.build());
    }

    private void append(MemoryRecords batch) throws IOException {
        ByteBuffer bytes = batch.buffer();
        end = BatchHeader.lastOffset(bytes, 0) + 1;
        active().append(bytes);
    }

    void roll() throws IOException {
        if (active().size() == 0 && active().baseOffset() == end) {
            return;
        }
        active().seal();
        segments.add(Segment.create(folder, end, "", config(), 0));
    }

    /** Begins the next segment at a far offset, as replication of a compacted log does. */
    void skipTo(long offset) throws IOException {
        end = offset;
        roll();
    }

    private Segment active() {
        return segments.get(segments.size() - 1);
    }

    void startAt(long offset) {
        start = offset;
    }

    List<MutableRecordBatch> batches() {
        try {
            List<MutableRecordBatch> all = new ArrayList<>();
            for (Segment segment : segments) {
                ByteBuffer bytes = ByteBuffer.allocate(segment.size());
                segment.file().readFully(bytes, 0);
                MemoryRecords.readableRecords(bytes.flip()).batches().forEach(all::add);
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Record> records() {
        List<Record> all = new ArrayList<>();
        for (MutableRecordBatch batch : batches()) {
            if (!batch.isControlBatch()) {
                batch.forEach(all::add);
            }
        }
        return all;
    }

    long markers() {
        return batches().stream()
                .filter(b -> b.isControlBatch() && b.countOrNull() > 0)
                .count();
    }

    /** What a reader of the whole log ends up with for each key; null for a tombstone. */
    Map<String, String> lastValues() {
        Map<String, String> values = new HashMap<>();
        for (Record record : records()) {
            values.put(text(record.key()), record.hasValue() ? text(record.value()) : "(deleted)");
        }
        return values;
    }

    static String text(ByteBuffer bytes) {
        return java.nio.charset.StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    }

    @Override
    public TopicPartition topicPartition() {
        return partition;
    }

    @Override
    public LogConfig config() {
        return settings.build();
    }

    @Override
    public LogFolder folder() {
        return folder;
    }

    @Override
    public long logStartOffset() {
        return start;
    }

    @Override
    public long logEndOffset() {
        return end;
    }

    @Override
    public long highWatermark() {
        return highWatermark < 0 ? end : highWatermark;
    }

    @Override
    public long firstUnstableOffset() {
        return firstUnstable < 0 ? end : firstUnstable;
    }

    @Override
    public List<Segment> segments() {
        List<Segment> seen = List.copyOf(segments);
        Runnable then = afterNextLook;
        afterNextLook = () -> {};
        then.run();
        return seen;
    }

    /** As retention does, with file.delete.delay.ms=0. */
    void deleteFirst() {
        try {
            segments.remove(0).delete();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int truncations() {
        return truncations;
    }

    @Override
    public Map<Long, LastRecord> lastRecords() {
        return Map.copyOf(lastRecords);
    }

    @Override
    public boolean replace(List<Segment> originals, List<Segment> cleaned, int since) throws IOException {
        if (since != truncations || !segments.containsAll(originals)) {
            return false;
        }
        for (Segment original : originals) {
            original.changeSuffix(LogFolder.DELETED);
        }
        for (Segment segment : cleaned) {
            segment.seal();
            segment.changeSuffix("");
        }
        segments.removeAll(originals);
        segments.addAll(cleaned);
        segments.sort(Comparator.comparingLong(Segment::baseOffset));
        for (Segment original : originals) {
            original.delete();
        }
        return true;
    }

    @Override
    public boolean closed() {
        return false;
    }

    @Override
    public DiskDirectory disk() {
        return disk;
    }

    @Override
    public void onCompactionFailure(IOException cause) {
        failures.add(cause);
    }
}
