package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Transactions aborted in a segment, in Kafka's layout: version i16, producer id i64, first offset i64, last offset i64 (of the marker),
 * last stable offset i64 at the abort. 34 bytes an entry in the order of the markers; no file where nothing was aborted.
 */
final class TransactionIndex {
    static final int ENTRY_SIZE = 34;
    private static final short VERSION = 0;

    private final IndexFile file;

    TransactionIndex(LogFolder folder, long baseOffset, String suffix) {
        this.file =
                new IndexFile(folder, LogFolder.fileName(baseOffset, LogFolder.TXN_INDEX) + suffix, ENTRY_SIZE, false);
    }

    IndexFile file() {
        return file;
    }

    void append(Aborted aborted) throws IOException {
        synchronized (file) {
            ByteBuffer buffer = file.add();
            int at = file.at(file.count() - 1);
            buffer.putShort(at, VERSION);
            buffer.putLong(at + 2, aborted.producerId());
            buffer.putLong(at + 10, aborted.firstOffset());
            buffer.putLong(at + 18, aborted.lastOffset());
            buffer.putLong(at + 26, aborted.lastStableOffset());
        }
    }

    /**
     * Adds the transactions that overlap a fetched range.
     *
     * @return true if no later segment can hold another
     */
    boolean collect(long from, long upTo, List<ReadResult.AbortedTransaction> into) throws IOException {
        synchronized (file) {
            for (int i = 0; i < file.count(); i++) {
                Aborted entry = entry(i);
                if (entry.lastOffset() >= from && entry.firstOffset() < upTo) {
                    into.add(new ReadResult.AbortedTransaction(entry.producerId(), entry.firstOffset()));
                }
                if (entry.lastStableOffset() >= upTo) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Every entry: for the compactor and for recovery. */
    List<Aborted> entries() throws IOException {
        synchronized (file) {
            List<Aborted> all = new java.util.ArrayList<>(file.count());
            for (int i = 0; i < file.count(); i++) {
                all.add(entry(i));
            }
            return all;
        }
    }

    void truncateTo(long offset) throws IOException {
        synchronized (file) {
            int keep = 0;
            while (keep < file.count() && entry(keep).lastOffset() < offset) {
                keep++;
            }
            file.truncate(keep);
        }
    }

    private Aborted entry(int slot) throws IOException {
        ByteBuffer buffer = file.buffer(slot);
        int at = file.at(slot);
        return new Aborted(
                buffer.getLong(at + 2), buffer.getLong(at + 10), buffer.getLong(at + 18), buffer.getLong(at + 26));
    }

    /**
     * An aborted transaction.
     *
     * @param lastOffset of its marker
     * @param lastStableOffset after the marker: no entry behind one with a greater value concerns an offset below
     */
    record Aborted(long producerId, long firstOffset, long lastOffset, long lastStableOffset) {}
}
