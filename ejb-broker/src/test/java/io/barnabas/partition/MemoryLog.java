package io.barnabas.partition;

import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.log.AppendTerms;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.ReadResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;

/** A log in memory, without checks, for tests of what stands on logs. Safe from any thread. */
public final class MemoryLog implements PartitionLog {
    private final TopicPartition topicPartition;
    private final Uuid topicId;
    private final DataDirectory directory;
    private final List<ByteBuffer> batches = new ArrayList<>();
    private final List<CompletableFuture<Void>> forces = new ArrayList<>();
    private LogConfig config;
    private long start;
    private long end;
    private volatile long firstUnstable = Long.MAX_VALUE;
    private int reads;
    private Runnable beforeRead = () -> {};
    private AppendTerms lastTerms = AppendTerms.NONE;

    MemoryLog(TopicPartition topicPartition, Uuid topicId, DataDirectory directory, LogConfig config) {
        this.topicPartition = topicPartition;
        this.topicId = topicId;
        this.directory = directory;
        this.config = config;
    }

    /** Reads so far, those of nothing too. */
    public synchronized int reads() {
        return reads;
    }

    /** What the last append came with. */
    public synchronized AppendTerms lastTerms() {
        return lastTerms;
    }

    @Override
    public synchronized AppendResult append(
            MemoryRecords records, AppendOrigin origin, int leaderEpoch, AppendTerms terms) {
        lastTerms = terms;
        return append(records, origin, leaderEpoch);
    }

    /** Forces what was appended so far, under durability fsync. */
    public void force() {
        List<CompletableFuture<Void>> done;
        synchronized (this) {
            done = List.copyOf(forces);
            forces.clear();
        }
        done.forEach(force -> force.complete(null));
    }

    @Override
    public TopicPartition topicPartition() {
        return topicPartition;
    }

    @Override
    public Uuid topicId() {
        return topicId;
    }

    @Override
    public DataDirectory directory() {
        return directory;
    }

    @Override
    public synchronized LogConfig config() {
        return config;
    }

    @Override
    public synchronized void reconfigure(LogConfig to) {
        config = to;
    }

    @Override
    public synchronized AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch) {
        long base = end;
        int count = 0;
        ByteBuffer copy = ByteBuffer.allocate(records.sizeInBytes());
        copy.put(records.buffer().duplicate()).flip();
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(copy).batches()) {
            int size = (int) (batch.lastOffset() - batch.baseOffset()) + 1;
            end += size;
            count += size;
            batch.setLastOffset(end - 1);
            batch.setPartitionLeaderEpoch(leaderEpoch);
        }
        batches.add(copy);
        return new AppendResult(base, end - 1, -1, start, false, copy.remaining(), count);
    }

    @Override
    public synchronized CompletableFuture<Void> durable(long offset) {
        CompletableFuture<Void> force = new CompletableFuture<>();
        forces.add(force);
        return force;
    }

    @Override
    public synchronized ReadResult read(long offset, int maxBytes, long upTo, boolean atLeastOne, boolean aborted) {
        Runnable before = beforeRead;
        beforeRead = () -> {};
        before.run();
        reads++;
        if (offset < start || offset > end) {
            throw new OffsetOutOfRangeException("offset " + offset);
        }
        ByteBuffer found = ByteBuffer.allocate(1 << 20);
        for (ByteBuffer batch : batches) {
            MutableRecordBatch first =
                    MemoryRecords.readableRecords(batch).batches().iterator().next();
            boolean fits = found.position() + batch.remaining() <= maxBytes || (found.position() == 0 && atLeastOne);
            if (first.lastOffset() >= offset && first.lastOffset() < upTo) {
                if (!fits) {
                    break;
                }
                found.put(batch.duplicate());
            }
        }
        return new ReadResult(MemoryRecords.readableRecords(found.flip()), offset, List.of(), false);
    }

    @Override
    public synchronized long logStartOffset() {
        return start;
    }

    @Override
    public synchronized long logEndOffset() {
        return end;
    }

    @Override
    public long firstUnstableOffset() {
        return Math.min(firstUnstable, logEndOffset());
    }

    /** A transaction is open from this offset on. */
    public void transactionOpenFrom(long offset) {
        firstUnstable = offset;
    }

    @Override
    public long recoveryPoint() {
        return logEndOffset();
    }

    @Override
    public synchronized long sizeInBytes() {
        return batches.stream().mapToLong(ByteBuffer::remaining).sum();
    }

    @Override
    public int segmentCount() {
        return 1;
    }

    @Override
    public OptionalInt latestEpoch() {
        return OptionalInt.empty();
    }

    @Override
    public void onLeaderEpoch(int epoch) {}

    @Override
    public EpochEnd endOffsetFor(int epoch) {
        return new EpochEnd(-1, -1);
    }

    @Override
    public OptionalInt epochAt(long offset) {
        return OptionalInt.empty();
    }

    @Override
    public Optional<TimestampOffset> offsetForTimestamp(long timestamp, long upTo) {
        return Optional.empty();
    }

    @Override
    public Optional<TimestampOffset> maxTimestamp(long upTo) {
        return Optional.empty();
    }

    @Override
    public synchronized long deleteRecordsBefore(long offset) {
        start = offset;
        return start;
    }

    @Override
    public void truncateTo(long offset) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void truncateFully(long offset) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<ProducerInfo> activeProducers() {
        return List.of();
    }

    @Override
    public void flush() {}

    @Override
    public void onHighWatermark(long offset) {}

    @Override
    public long highWatermark() {
        return logStartOffset();
    }

    /** Runs once, before the next read. */
    public synchronized void beforeNextRead(Runnable action) {
        beforeRead = action;
    }
}
