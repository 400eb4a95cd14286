package io.barnabas.coordinator;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Logs in memory. By default an append is committed at once; a test may hold commits back, let them fail, have appends refused, and cut
 * off what was not committed. For one thread.
 */
public final class MemoryPartitionWriter implements PartitionWriter {
    private final Map<TopicPartition, Log> logs = new HashMap<>();
    private boolean holdingCommits;
    private @Nullable RuntimeException refusal;
    private int refusals;
    private int goneForWatches;
    private int maxBatchBytes = 1 << 20;
    private boolean askCoordinator;

    private static final class Log {
        final List<MemoryRecords> batches = new ArrayList<>();
        final List<Waiting> waiting = new ArrayList<>();
        long end;
        long committed;
        int epoch = -1;
    }

    private record Waiting(long offset, CompletableFuture<Void> done) {}

    private Log log(TopicPartition partition) {
        return logs.computeIfAbsent(partition, p -> new Log());
    }

    /** The next {@code times} appends throw. */
    public void refuse(RuntimeException error, int times) {
        refusal = error;
        refusals = times;
    }

    /** The log is gone for the next {@code times} questions whether an append is committed: they throw. */
    public void goneForWatches(int times) {
        goneForWatches = times;
    }

    /** From now on nothing is committed until {@link #commitAll}, if {@code hold}. */
    public void holdCommits(boolean hold) {
        holdingCommits = hold;
    }

    /** Transactions are to be verified before they are written. */
    public void askCoordinator(boolean ask) {
        askCoordinator = ask;
    }

    public void maxBatchBytes(int bytes) {
        maxBatchBytes = bytes;
    }

    /** Appends under lower epochs are refused. */
    public void fence(TopicPartition partition, int epoch) {
        log(partition).epoch = epoch;
    }

    /** Commits everything. */
    public void commitAll(TopicPartition partition) {
        Log log = log(partition);
        log.committed = log.end;
        List<Waiting> due = new ArrayList<>(log.waiting);
        log.waiting.clear();
        due.forEach(waiting -> waiting.done.complete(null));
    }

    /** Drops what is not committed, as a new leader without it would; who waits is told. */
    public void loseUncommitted(TopicPartition partition) {
        Log log = log(partition);
        log.batches.removeIf(batch -> batch.batches().iterator().next().baseOffset() >= log.committed);
        log.end = log.committed;
        List<Waiting> due = new ArrayList<>(log.waiting);
        log.waiting.clear();
        due.forEach(waiting -> waiting.done.completeExceptionally(new NotLeaderOrFollowerException("resigned")));
    }

    /** Adds what another broker wrote: offsets and producer are as given. */
    public void add(TopicPartition partition, MemoryRecords records) {
        Log log = log(partition);
        MemoryRecords copy = copy(records);
        for (MutableRecordBatch batch : copy.batches()) {
            int count = batch.countOrNull();
            batch.setLastOffset(log.end + count - 1);
            log.end += count;
        }
        log.batches.add(copy);
        log.committed = log.end;
    }

    public long end(TopicPartition partition) {
        return log(partition).end;
    }

    public List<RecordBatch> batches(TopicPartition partition) {
        List<RecordBatch> all = new ArrayList<>();
        log(partition).batches.forEach(records -> records.batches().forEach(all::add));
        return all;
    }

    @Override
    public long append(TopicPartition partition, int leaderEpoch, MemoryRecords records) {
        Log log = log(partition);
        if (leaderEpoch < log.epoch) {
            throw new NotLeaderOrFollowerException("fenced");
        }
        if (refusals > 0 && refusal != null) {
            refusals--;
            throw refusal;
        }
        long committed = log.committed;
        add(partition, records);
        log.committed = holdingCommits ? committed : log.end;
        return log.end;
    }

    @Override
    public long beginVerification(TopicPartition partition, long producerId, short producerEpoch, boolean epochBump) {
        return askCoordinator ? 1 : 0;
    }

    @Override
    public CompletionStage<Void> committed(TopicPartition partition, long offset) {
        if (goneForWatches > 0) {
            goneForWatches--;
            throw new NotLeaderOrFollowerException("gone");
        }
        Log log = log(partition);
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (offset <= log.committed) {
            done.complete(null);
        } else {
            log.waiting.add(new Waiting(offset, done));
        }
        return done;
    }

    @Override
    public void replay(TopicPartition partition, Consumer<RecordBatch> batches) {
        List.copyOf(log(partition).batches).forEach(records -> records.batches().forEach(batches));
    }

    @Override
    public int maxBatchBytes(TopicPartition partition) {
        return maxBatchBytes;
    }

    private static MemoryRecords copy(MemoryRecords records) {
        ByteBuffer from = records.buffer().duplicate();
        ByteBuffer to = ByteBuffer.allocate(from.remaining());
        to.put(from);
        to.flip();
        return MemoryRecords.readableRecords(to);
    }
}
