package io.barnabas.log;

/**
 * The newest batches of the active segment, each with its place: a consumer at the log's end asks for the batch that was just appended,
 * and is answered without a look into index or file.
 *
 * <p>Threads: the appender writes, readers look up; both take the monitor for some nanoseconds.
 */
final class RecentBatches {
    private static final int SLOTS = 64; // a power of two
    private final long[] baseOffsets = new long[SLOTS];
    private final long[] lastOffsets = new long[SLOTS];
    private final int[] positions = new int[SLOTS];
    private final int[] sizes = new int[SLOTS];
    private int added;

    synchronized void add(long baseOffset, long lastOffset, int position, int size) {
        int slot = added++ & SLOTS - 1;
        baseOffsets[slot] = baseOffset;
        lastOffsets[slot] = lastOffset;
        positions[slot] = position;
        sizes[slot] = size;
        if (added < 0) {
            clear();
        }
    }

    synchronized void clear() {
        added = 0;
    }

    /** The batch that holds {@code offset}, or the first behind it; null if that is not certain from here. */
    Segment.@org.jspecify.annotations.Nullable Place find(long offset) {
        synchronized (this) {
            int low = Math.max(0, added - SLOTS);
            int high = added - 1;
            if (high < low || offset < baseOffsets[low & SLOTS - 1] || offset > lastOffsets[high & SLOTS - 1]) {
                return null;
            }
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (lastOffsets[middle & SLOTS - 1] < offset) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            int slot = low & SLOTS - 1;
            return new Segment.Place(baseOffsets[slot], lastOffsets[slot], positions[slot], sizes[slot]);
        }
    }
}
