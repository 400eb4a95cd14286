package io.barnabas.log;

import io.barnabas.log.SimulatedProducer.Item;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/** What one log must hold, and the comparison with what it holds. */
final class SimulatedPartition {
    final TopicPartition topicPartition;
    final LogConfig config;
    final List<SimulatedProducer> producers = new ArrayList<>();
    /** Everything that was ever answered and not truncated, by offset. */
    final TreeMap<Long, Item> history = new TreeMap<>();

    /** First offsets of batches: a replica truncates at one of them. */
    final TreeSet<Long> bases = new TreeSet<>();

    PartitionLog log;
    long end;
    long forcedEnd;
    long promisedStart;
    /** Sent and not answered when the process ended. */
    SimulatedProducer.@Nullable Batch inFlight;

    long truncatingTo = Long.MAX_VALUE;
    long deletingBefore;

    SimulatedPartition(TopicPartition topicPartition, LogConfig config, PartitionLog log) {
        this.topicPartition = topicPartition;
        this.config = config;
        this.log = log;
        for (int i = 0; i < 3; i++) {
            producers.add(new SimulatedProducer(100 + i));
        }
        producers.add(new SimulatedProducer(-1));
    }

    void appended(SimulatedProducer producer, SimulatedProducer.Batch batch, AppendResult result) {
        if (result.duplicate()) {
            for (int i = 0; i < batch.items().size(); i++) {
                Item known = history.get(result.baseOffset() + i);
                require(known == null || known.equals(batch.items().get(i)), "a duplicate of something else: " + known);
            }
        } else {
            require(result.baseOffset() == end, "appended at " + result.baseOffset() + " instead of " + end);
            land(batch);
        }
        producer.answered(batch);
        inFlight = null;
    }

    void forgetFrom(long offset) {
        history.tailMap(offset, true).clear();
        bases.tailSet(offset, true).clear();
        end = Math.min(end, offset);
        forcedEnd = Math.min(forcedEnd, offset);
        for (SimulatedProducer producer : producers) {
            resume(producer);
        }
    }

    /** What a client finds out about its last batches when it goes on. */
    private void resume(SimulatedProducer producer) {
        if (producer.id < 0) {
            producer.pending = null;
            return;
        }
        int last = -1;
        for (Item item : history.descendingMap().values()) {
            if (item.producerId() == producer.id) {
                last = item.epoch() == producer.epoch ? item.sequence() : -1;
                break;
            }
        }
        SimulatedProducer.Batch pending = producer.pending;
        boolean landed = pending != null
                && last == producer.nextSequence + pending.items().size() - 1;
        if (last != producer.nextSequence - 1 && !landed) {
            producer.beginAnew();
        }
    }

    /**
     * After a crash.
     *
     * @param required everything below must be there
     * @param startBefore the log start offset when the process ended
     */
    void recovered(PartitionLog reopened, long required, long startBefore) throws IOException {
        log = reopened;
        long least = Math.min(required, truncatingTo);
        require(log.logEndOffset() >= least, "ends at " + log.logEndOffset() + ", " + least + " was acknowledged");
        require(
                log.logStartOffset() >= promisedStart,
                "begins at " + log.logStartOffset() + " before " + promisedStart);
        require(
                log.logStartOffset() <= Math.max(startBefore, deletingBefore),
                "begins at " + log.logStartOffset() + " behind " + startBefore);
        landInFlight();
        require(log.logEndOffset() <= end, "ends at " + log.logEndOffset() + " behind " + end);
        forgetFrom(log.logEndOffset());
        inFlight = null;
        truncatingTo = Long.MAX_VALUE;
        deletingBefore = 0;
        check();
    }

    private void landInFlight() {
        SimulatedProducer.Batch sent = inFlight;
        if (sent != null && log.logEndOffset() == end + sent.items().size()) {
            land(sent);
        }
    }

    private void land(SimulatedProducer.Batch batch) {
        bases.add(end);
        for (Item item : batch.items()) {
            history.put(end++, item);
        }
    }

    /** Where a batch begins, at or behind {@code offset}. */
    long boundary(long offset) {
        Long base = bases.ceiling(offset);
        return base == null ? end : base;
    }

    /** Everything that must hold at any moment between two actions. */
    void check() throws IOException {
        checkRecords();
        SegmentedLog segmented = (SegmentedLog) log;
        for (Segment segment : segmented.view().segments()) {
            checkIndexes(segment);
        }
        checkProducers(segmented);
    }

    private void checkRecords() throws IOException {
        Map<String, Map.Entry<Long, Item>> expected = new HashMap<>();
        history.tailMap(log.logStartOffset(), true)
                .entrySet()
                .forEach(entry -> expected.put(entry.getValue().key(), entry));
        Map<String, Item> found = new HashMap<>();
        long next = log.logStartOffset();
        while (next < log.logEndOffset()) {
            ReadResult read = log.read(next, 300, log.logEndOffset(), true, false);
            if (!(read.records() instanceof LogSlice slice)) {
                break;
            }
            for (RecordBatch batch : slice.toMemory().batches()) {
                batch.ensureValid();
                if (batch.nextOffset() > next) {
                    next = checkBatch(batch, next, found);
                }
            }
            slice.release();
        }
        expected.forEach((key, last) -> require(
                last.getValue().equals(found.get(key)) || (last.getValue().value() == null && config.compact()),
                key + " is " + found.get(key) + ", not " + last));
    }

    private long checkBatch(RecordBatch batch, long from, Map<String, Item> found) {
        long next = from;
        for (Record record : batch) {
            if (record.offset() < from) {
                continue;
            }
            Item item = history.get(record.offset());
            if (item == null) {
                throw new AssertionError(
                        topicPartition + " holds offset " + record.offset() + ", which nobody appended");
            }
            require(config.compact() || record.offset() == next, "lacks offset " + next);
            String value = record.hasValue()
                    ? StandardCharsets.UTF_8.decode(record.value()).toString()
                    : null;
            require(java.util.Objects.equals(value, item.value()), "holds " + value + " instead of " + item);
            found.put(item.key(), item);
            next = record.offset() + 1;
        }
        return batch.nextOffset();
    }

    private void checkIndexes(Segment segment) throws IOException {
        Map<Integer, Long> batches = new HashMap<>();
        BatchCursor cursor = BatchCursor.scan(segment.file(), 0, segment.size());
        while (cursor.next()) {
            batches.put(cursor.position(), cursor.lastOffset());
            OffsetIndex.Entry near = segment.offsets().floor(cursor.lastOffset());
            Long indexed = batches.get(near.position());
            require(
                    near.position() == 0 || (indexed != null && indexed == near.offset()),
                    "index of " + segment + " has " + near);
            TimeIndex.Entry earlier = segment.times().lower(cursor.maxTimestamp());
            require(
                    earlier.timestamp() < 0 || earlier.offset() < cursor.lastOffset(),
                    "time index of " + segment + " has " + earlier);
        }
        require(cursor.fault() == null, segment + " is torn: " + cursor.fault());
    }

    /**
     * The state of producers is what the log alone would make of it. Of a compacted log it may be ahead: a producer's last batch may have
     * been truncated after compaction had dropped the one before.
     */
    private void checkProducers(SegmentedLog segmented) throws IOException {
        ProducerStates anew = new ProducerStates(topicPartition, segmented.folder(), () -> Integer.MAX_VALUE);
        anew.startAt(log.logStartOffset());
        for (Segment segment : segmented.view().segments()) {
            SegmentStore.replay(segment, segment.size(), anew);
        }
        Map<Long, PartitionLog.ProducerInfo> present = new HashMap<>();
        log.activeProducers().forEach(info -> present.put(info.producerId(), info));
        for (PartitionLog.ProducerInfo info : anew.describe()) {
            PartitionLog.ProducerInfo kept = present.get(info.producerId());
            require(
                    kept != null
                            && (config.compact()
                                    || (kept.lastSequence() == info.lastSequence()
                                            && kept.producerEpoch() == info.producerEpoch())),
                    "producer state is " + kept + ", the log says " + info);
        }
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(topicPartition + " " + otherwise);
        }
    }
}
