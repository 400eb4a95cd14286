package io.barnabas.log;

import io.barnabas.time.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;

/**
 * One pass over one log: notes the last offset of every key in the dirty part, as far as memory goes, then rewrites the segments below
 * that point without what is superseded. Segments that became small are put together.
 *
 * <p>Comes after {@link LogCompactor} has chosen the log; runs on a thread of the compactor and takes no lock. If the log is truncated
 * or loses segments meanwhile, the pass leaves no trace.
 */
final class CompactionPass {
    private static final int BUFFER_BYTES = 512 << 10;

    private final CompactableLog log;
    private final CompactionRange range;
    private final KeyOffsets keys;
    private final Clock clock;
    private final CleanerPace pace;
    private final int truncations;
    private final BufferSupplier inflateBuffers = BufferSupplier.create();
    private final int maxRecordBytes;
    private ByteBuffer readBuffer = ByteBuffer.allocate(BUFFER_BYTES);
    private ByteBuffer writeBuffer = ByteBuffer.allocate(BUFFER_BYTES);

    /** @param pace told of every chunk; ends the pass if the compactor stops */
    CompactionPass(CompactableLog log, CompactionRange range, KeyOffsets keys, Clock clock, CleanerPace pace) {
        this.log = log;
        this.range = range;
        this.keys = keys;
        this.clock = clock;
        this.pace = pace;
        this.truncations = log.truncations();
        this.maxRecordBytes = log.config().maxDecompressedMessageBytes();
    }

    /**
     * Runs it.
     *
     * @return the first offset that is not compacted
     * @throws Abandoned if the log changed under it or the compactor stops
     * @throws org.apache.kafka.common.errors.ApiException if the log holds what cannot be read
     */
    long run() throws IOException {
        noteKeys();
        long end = keys.lastOffset() + 1;
        List<Segment> affected = new ArrayList<>();
        for (Segment segment : range.sealed()) {
            if (segment.baseOffset() < end) {
                affected.add(segment);
            }
        }
        if (!affected.isEmpty()) {
            CompactedTransactions transactions =
                    new CompactedTransactions(abortedFrom(affected.get(0).baseOffset()));
            CompactionFilter filter = new CompactionFilter(log, keys, transactions, clock.wallMillis());
            for (List<Segment> group : SegmentGroups.of(affected, log.config(), range.endOffset())) {
                rewrite(group, filter, transactions);
            }
        }
        return end;
    }

    private void noteKeys() throws IOException {
        CompactedTransactions transactions = null;
        for (int i = 0; i < range.sealed().size(); i++) {
            Segment segment = range.sealed().get(i);
            long next =
                    i + 1 < range.sealed().size() ? range.sealed().get(i + 1).baseOffset() : range.endOffset();
            if (next <= range.dirtyOffset()) {
                continue;
            }
            if (transactions == null) {
                transactions = new CompactedTransactions(abortedFrom(segment.baseOffset()));
            }
            if (!noteKeys(segment, transactions)) {
                return;
            }
            keys.onSeen(next - 1); // offsets without a record do not make the next pass begin here again
        }
    }

    /** False if the map is full. */
    private boolean noteKeys(Segment segment, CompactedTransactions transactions) throws IOException {
        BatchChunks chunks = new BatchChunks(segment.file(), 0, readBuffer);
        while (chunks.next()) {
            checkStopping();
            pace.spent(chunks.records().sizeInBytes());
            for (MutableRecordBatch batch : chunks.records().batches()) {
                if (counts(batch, transactions)) {
                    if (!noteKeys(batch)) {
                        return false;
                    }
                    keys.onSeen(batch.lastOffset());
                }
                chunks.consume(batch.sizeInBytes());
            }
        }
        readBuffer = chunks.buffer();
        return true;
    }

    /** Whether the batch's keys supersede others: those of markers and aborted transactions do not. */
    private boolean counts(MutableRecordBatch batch, CompactedTransactions transactions) {
        if (batch.isControlBatch()) {
            transactions.isObsolete(batch);
            return false;
        }
        return !transactions.isAborted(batch) && batch.lastOffset() >= range.dirtyOffset();
    }

    private boolean noteKeys(MutableRecordBatch batch) {
        try (CloseableIterator<Record> records = batch.streamingIterator(inflateBuffers, maxRecordBytes)) {
            while (records.hasNext()) {
                Record record = records.next();
                if (record.hasKey()
                        && record.offset() >= range.dirtyOffset()
                        && !keys.put(record.key(), record.offset())) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Aborted transactions whose marker is at {@code offset} or behind it: the transaction may reach into a later segment. */
    private List<TransactionIndex.Aborted> abortedFrom(long offset) throws IOException {
        List<TransactionIndex.Aborted> found = new ArrayList<>();
        for (Segment segment : log.segments()) {
            for (TransactionIndex.Aborted aborted : segment.transactions().entries()) {
                if (aborted.lastOffset() >= offset) {
                    found.add(aborted);
                }
            }
        }
        return found;
    }

    private void rewrite(List<Segment> group, CompactionFilter filter, CompactedTransactions transactions)
            throws IOException {
        List<Segment> cleaned = new ArrayList<>();
        boolean handedOver = false;
        try {
            cleaned.add(newSegment(group.get(0).baseOffset()));
            for (Segment original : group) {
                rewrite(original, filter, transactions, cleaned);
            }
            for (Segment segment : cleaned) {
                segment.seal();
                segment.force();
            }
            handedOver = true; // from here on a failure may have taken the originals away: recovery decides, not we
            handedOver = log.replace(group, cleaned, truncations);
            if (!handedOver) {
                throw new Abandoned("the log was changed");
            }
        } finally {
            if (!handedOver) {
                discard(cleaned);
            }
        }
    }

    private void rewrite(
            Segment original, CompactionFilter filter, CompactedTransactions transactions, List<Segment> cleaned)
            throws IOException {
        BatchChunks chunks = new BatchChunks(original.file(), 0, readBuffer);
        while (chunks.next()) {
            checkStopping();
            writeBuffer.clear();
            MemoryRecords.FilterResult result =
                    chunks.records().filterTo(filter, writeBuffer, inflateBuffers, maxRecordBytes);
            chunks.consume(result.bytesRead());
            pace.spent((long) result.bytesRead() + result.outputBuffer().position());
            ByteBuffer kept = result.outputBuffer();
            kept.flip();
            Segment target = kept.hasRemaining() ? targetFor(kept, cleaned) : cleaned.get(cleaned.size() - 1);
            if (kept.hasRemaining()) {
                target.append(kept);
            }
            for (TransactionIndex.Aborted aborted : transactions.takeRetained()) {
                target.transactions().append(aborted);
            }
        }
        readBuffer = chunks.buffer();
    }

    /** The last cleaned segment, or a new one if batches that grew or distant offsets do not fit into it. */
    private Segment targetFor(ByteBuffer kept, List<Segment> cleaned) throws IOException {
        Segment target = cleaned.get(cleaned.size() - 1);
        long lastOffset = 0;
        for (int at = 0; at < kept.limit(); at += BatchHeader.sizeInBytes(kept, at)) {
            lastOffset = BatchHeader.lastOffset(kept, at);
        }
        boolean fits = (long) target.size() + kept.remaining() <= Integer.MAX_VALUE
                && lastOffset - target.baseOffset() <= Integer.MAX_VALUE;
        if (fits || target.size() == 0) {
            return target;
        }
        Segment next = newSegment(BatchHeader.baseOffset(kept, 0));
        cleaned.add(next);
        return next;
    }

    private Segment newSegment(long baseOffset) throws IOException {
        return Segment.create(log.folder(), baseOffset, LogFolder.CLEANED, log.config(), clock.wallMillis());
    }

    private static void discard(List<Segment> cleaned) throws IOException {
        for (Segment segment : cleaned) {
            segment.delete();
        }
    }

    private void checkStopping() {
        if (pace.stopped()) {
            throw new Abandoned("the compactor stops");
        }
    }

    /** The pass ended without a trace; it may be tried again. */
    static final class Abandoned extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Abandoned(String why) {
            super(why, null, false, false);
        }
    }
}
