package io.barnabas.simulation;

import io.barnabas.log.LogSlice;
import io.barnabas.log.ReadResult;
import io.barnabas.partition.LocalPartition;
import java.io.IOException;
import org.apache.kafka.common.record.internal.RecordBatch;

/** How much a run has seen, so that a test can tell that it saw anything. */
final class SimulationTally {
    long hash;
    int restarts;
    long tasks;
    long fetches;
    int groupsCompared;
    long compacted;
    int forgotten;
    int moves;

    void add(SimulationTally other) {
        restarts += other.restarts;
        tasks += other.tasks;
        fetches += other.fetches;
        groupsCompared += other.groupsCompared;
        compacted += other.compacted;
        forgotten += other.forgotten;
        moves += other.moves;
    }

    /** Offsets that compaction has taken away. */
    static long gaps(LocalPartition partition) throws IOException {
        long next = partition.log().logStartOffset();
        long gaps = 0;
        while (next < partition.highWatermark()) {
            ReadResult read = partition.read(next, 4_000, true, false);
            if (!(read.records() instanceof LogSlice slice)) {
                break;
            }
            try {
                for (RecordBatch batch : slice.toMemory().batches()) {
                    batch.ensureValid();
                    gaps += Math.max(0, batch.baseOffset() - next);
                    next = batch.nextOffset();
                }
            } finally {
                slice.release();
            }
        }
        return gaps;
    }

    @Override
    public String toString() {
        return "restarts " + restarts + ", tasks " + tasks + ", fetches " + fetches + ", groups compared "
                + groupsCompared + ", offsets compacted " + compacted + ", batches forgotten " + forgotten + ", moves "
                + moves;
    }
}
