package io.barnabas.log;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The last offset of each key in the part of a log that is being compacted, within a bound of memory.
 *
 * <p>Open addressing over one array of longs: sixteen bytes of the key's SHA-256 and the offset, no key. Two keys that met in those
 * bytes would lose the older one's record, hence a cryptographic hash: nobody can make them meet. The array grows as keys come, up to
 * {@code log.cleaner.dedupe.buffer.size}; then {@link #put} answers false and the pass ends at that record. One thread.
 */
final class KeyOffsets {
    private static final int LONGS_PER_SLOT = 3;
    private static final int BYTES_PER_SLOT = LONGS_PER_SLOT * Long.BYTES;
    private static final int FIRST_SLOTS = 1024;
    private static final double LOAD_FACTOR = 0.9; // as log.cleaner.io.buffer.load.factor

    private final MessageDigest digest;
    private final byte[] hash = new byte[32];
    private final ByteBuffer hashView = ByteBuffer.wrap(hash);
    private final int maxSlots;
    private long[] table;
    private int slots;
    private int size;
    private long lastOffset = -1;

    /** @param maxBytes memory at most; room for at least a few keys is taken in any case */
    KeyOffsets(long maxBytes) {
        maxSlots = (int) Math.max(4, Math.min(maxBytes / BYTES_PER_SLOT, Integer.MAX_VALUE / LONGS_PER_SLOT - 8));
        slots = Math.min(FIRST_SLOTS, maxSlots);
        table = new long[slots * LONGS_PER_SLOT];
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Notes the key's last offset; false if there is no room for another key, and nothing is noted. */
    boolean put(ByteBuffer key, long offset) {
        long high = hash(key);
        long low = hashView.getLong(8);
        int slot = find(high, low);
        if (isFree(slot)) {
            if (size >= (int) (slots * LOAD_FACTOR)) {
                if (slots == maxSlots) {
                    return false;
                }
                grow();
                slot = find(high, low);
            }
            size++;
        }
        set(slot, high, low, offset);
        lastOffset = Math.max(lastOffset, offset);
        return true;
    }

    /** The key's last offset, or -1. */
    long get(ByteBuffer key) {
        long high = hash(key);
        int slot = find(high, hashView.getLong(8));
        return isFree(slot) ? -1 : table[slot * LONGS_PER_SLOT + 2] - 1;
    }

    int size() {
        return size;
    }

    /** Everything up to here is in the map; -1 if nothing is. */
    long lastOffset() {
        return lastOffset;
    }

    /** Records without a key, or of aborted transactions, were seen up to {@code offset}. */
    void onSeen(long offset) {
        lastOffset = Math.max(lastOffset, offset);
    }

    private long hash(ByteBuffer key) {
        digest.update(key.duplicate());
        try {
            digest.digest(hash, 0, hash.length);
        } catch (java.security.DigestException e) {
            throw new IllegalStateException("SHA-256 has 32 bytes", e);
        }
        return hashView.getLong(0);
    }

    private int find(long high, long low) {
        int slot = (int) (((high >>> 32) * slots) >>> 32);
        while (!isFree(slot) && (table[slot * LONGS_PER_SLOT] != high || table[slot * LONGS_PER_SLOT + 1] != low)) {
            slot = slot + 1 == slots ? 0 : slot + 1;
        }
        return slot;
    }

    /** Offsets are kept plus one, so that an array of zeroes is an empty map. */
    private boolean isFree(int slot) {
        return table[slot * LONGS_PER_SLOT + 2] == 0;
    }

    private void set(int slot, long high, long low, long offset) {
        table[slot * LONGS_PER_SLOT] = high;
        table[slot * LONGS_PER_SLOT + 1] = low;
        table[slot * LONGS_PER_SLOT + 2] = offset + 1;
    }

    private void grow() {
        long[] old = table;
        slots = (int) Math.min(maxSlots, slots * 2L);
        table = new long[slots * LONGS_PER_SLOT];
        for (int i = 0; i < old.length; i += LONGS_PER_SLOT) {
            if (old[i + 2] != 0) {
                set(find(old[i], old[i + 1]), old[i], old[i + 1], old[i + 2] - 1);
            }
        }
    }
}
