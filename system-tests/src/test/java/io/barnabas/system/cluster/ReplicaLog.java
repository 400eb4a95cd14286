package io.barnabas.system.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

/**
 * One partition as it lies on the disk of one node, to be held against what another node has of it. Where its segments begin does not
 * count: each node rolls by its own clock.
 *
 * <p>Of a topic that is not compacted every batch has to be there, with the same bytes. Of a compacted one each node drops by itself, and
 * when it likes, records that a later one of their key has made void, tombstones when they are old enough, and what was aborted. So there
 * is compared what no compaction changes: no offset holds two records, every key has the same last value (none is as good as a tombstone),
 * and the log has the same end. The active segment alone, which is never compacted, would say less: it may have begun a moment ago.
 *
 * <p>Immutable.
 */
final class ReplicaLog {
    private static final String SUFFIX = ".log";

    /** How far two replicas are to be the same. */
    enum Extent {
        /** As far as both go: somebody writes. */
        COMMON,
        /** To the end of both: nobody writes. */
        WHOLE
    }

    /** A batch: what it says of itself, and all of its bytes. */
    private record Batch(long end, String text, String digest) {}

    /** What a compaction keeps of a record, or drops as a whole. */
    private record Content(Optional<ByteBuffer> key, Optional<ByteBuffer> value, long timestamp, String kind) {}

    private final boolean compacted;
    private final List<Batch> batches = new ArrayList<>();
    private final TreeMap<Long, Content> records = new TreeMap<>(); // by offset, of a compacted topic
    private final Map<Long, List<Long>> undecided = new HashMap<>(); // offsets by producer
    private final Set<Long> aborted = new HashSet<>(); // offsets
    private String flaw;
    private long end;

    private ReplicaLog(boolean compacted) {
        this.compacted = compacted;
    }

    /**
     * Reads it.
     *
     * @param folder of the partition, in which somebody may be writing
     * @param compacted whether its topic is
     */
    static ReplicaLog read(Path folder, boolean compacted) throws IOException {
        ReplicaLog log = new ReplicaLog(compacted);
        List<Path> segments;
        try (Stream<Path> files = Files.list(folder)) {
            segments = files.filter(file -> file.toString().endsWith(SUFFIX))
                    .sorted()
                    .toList();
        }
        if (segments.isEmpty()) {
            log.flaw = "no segment";
        }
        for (Path segment : segments) {
            log.add(segment);
        }
        return log;
    }

    private void add(Path segment) throws IOException {
        String name = segment.getFileName().toString();
        end = Math.max(end, Long.parseLong(name.substring(0, name.length() - SUFFIX.length())));
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(segment));
        int position = 0;
        try {
            for (MutableRecordBatch batch :
                    MemoryRecords.readableRecords(bytes.duplicate()).batches()) {
                batch.ensureValid();
                add(batch, bytes.slice(position, batch.sizeInBytes()));
                position += batch.sizeInBytes();
            }
        } catch (KafkaException e) {
            flaw(name + " at " + position + " of " + bytes.limit() + ": " + e.getMessage());
            return;
        }
        if (position < bytes.limit()) {
            flaw(name + " ends with half a batch at " + position + " of " + bytes.limit());
        }
    }

    private void add(MutableRecordBatch batch, ByteBuffer bytes) {
        String text = "[" + batch.baseOffset() + "–" + batch.lastOffset() + " epoch " + batch.partitionLeaderEpoch()
                + " producer " + batch.producerId() + "/" + batch.producerEpoch() + "/" + batch.baseSequence()
                + (batch.isControlBatch() ? " marker" : batch.isTransactional() ? " transactional" : "")
                + " crc " + Long.toHexString(batch.checksum()) + "]";
        boolean follows = batches.isEmpty() || batch.baseOffset() == last().end;
        if (!follows && (!compacted || batch.baseOffset() < last().end)) {
            flaw(text + " after " + last().text);
        }
        batches.add(new Batch(batch.lastOffset() + 1, text, digest(bytes)));
        end = Math.max(end, batch.lastOffset() + 1);
        if (compacted) {
            batch.forEach(record -> add(batch, record));
        }
    }

    private void add(MutableRecordBatch batch, Record record) {
        String kind = "record";
        if (batch.isControlBatch()) {
            ControlRecordType type = ControlRecordType.parse(record.key());
            kind = type + " of " + batch.producerId();
            List<Long> decided = undecided.remove(batch.producerId());
            if (type == ControlRecordType.ABORT && decided != null) {
                aborted.addAll(decided);
            }
        } else if (batch.isTransactional()) {
            undecided
                    .computeIfAbsent(batch.producerId(), each -> new ArrayList<>())
                    .add(record.offset());
        }
        records.put(record.offset(), new Content(copy(record.key()), copy(record.value()), record.timestamp(), kind));
    }

    private static Optional<ByteBuffer> copy(ByteBuffer from) {
        return from == null
                ? Optional.empty()
                : Optional.of(ByteBuffer.allocate(from.remaining())
                        .put(from.duplicate())
                        .flip());
    }

    private static String digest(ByteBuffer bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void flaw(String what) {
        if (flaw == null) {
            flaw = what;
        }
    }

    private Batch last() {
        return batches.get(batches.size() - 1);
    }

    /** How many batches there are. */
    int size() {
        return batches.size();
    }

    /** What no log should be like, whatever another one has: damaged, or with a gap; empty if it is whole. */
    Optional<String> flaw() {
        return Optional.ofNullable(flaw);
    }

    /** The first thing in which it differs from the other; empty if it does not. */
    Optional<String> differenceFrom(ReplicaLog other, Extent extent) {
        if (extent == Extent.WHOLE && end != other.end) {
            return Optional.of("ends at " + end + ", not " + other.end);
        }
        long until = Math.min(end, other.end);
        return compacted ? differentContent(other, until) : differentBatch(other, until);
    }

    private Optional<String> differentBatch(ReplicaLog other, long until) {
        for (int i = 0; i < Math.max(batches.size(), other.batches.size()); i++) {
            Batch mine = i < batches.size() ? batches.get(i) : null;
            Batch theirs = i < other.batches.size() ? other.batches.get(i) : null;
            boolean below = (mine != null && mine.end <= until) || (theirs != null && theirs.end <= until);
            if (below && (mine == null || theirs == null || !mine.digest.equals(theirs.digest))) {
                return Optional.of("has " + text(mine) + ", not " + text(theirs));
            }
        }
        return Optional.empty();
    }

    private static String text(Batch batch) {
        return batch == null ? "nothing" : batch.text;
    }

    private Optional<String> differentContent(ReplicaLog other, long until) {
        for (Map.Entry<Long, Content> each : records.headMap(until).entrySet()) {
            Content theirs = other.records.get(each.getKey());
            if (theirs != null && !theirs.equals(each.getValue())) {
                return Optional.of("holds another record at " + each.getKey());
            }
        }
        Map<ByteBuffer, Long> mine = live(until);
        Map<ByteBuffer, Long> theirs = other.live(until);
        for (ByteBuffer key : Stream.concat(mine.keySet().stream(), theirs.keySet().stream())
                .distinct()
                .toList()) {
            if (!Optional.ofNullable(mine.get(key)).equals(Optional.ofNullable(theirs.get(key)))) {
                return Optional.of("has the key " + HexFormat.of().formatHex(key.array()) + " last at " + mine.get(key)
                        + ", not at " + theirs.get(key));
            }
        }
        return Optional.empty();
    }

    /** The offset of the last record of each key that was not aborted, unless it is a tombstone. */
    private Map<ByteBuffer, Long> live(long until) {
        Map<ByteBuffer, Long> live = new HashMap<>();
        records.headMap(until).forEach((offset, content) -> {
            if (!content.kind.equals("record") || aborted.contains(offset) || content.key.isEmpty()) {
                return;
            }
            if (content.value.isPresent()) {
                live.put(content.key.get(), offset);
            } else {
                live.remove(content.key.get());
            }
        });
        return live;
    }
}
