package io.barnabas.log;

import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;

/** One disk: online, or failed for good until the next start. */
public interface DataDirectory {
    /** Random, made when the directory was formatted, kept in meta.properties (KIP-858). */
    Uuid id();

    Path path();

    boolean online();

    /** Takes no new logs, by {@code cordoned.log.dirs}; those that it has stay (KIP-1066). */
    boolean cordoned();

    /**
     * The broker's epoch at the end before this start if that was an orderly one, after which everything that was acknowledged under
     * that epoch is on the disk; -1 if it was not, or nobody said under which epoch. What a copy from an earlier life says is an earlier
     * epoch (KIP-966).
     */
    long cleanShutdownEpoch();

    /** An orderly end leaves the broker's epoch, asked for then, in the directory. */
    void markWith(LongSupplier brokerEpoch);

    /** Whether it can be written: false from a write that found no room, or no file left to open, until one would find them again. */
    boolean writable();

    /** Records leave that many bytes of the disk to others from now on. */
    void keepFree(long bytes);

    /** Bytes of the file system. */
    long totalBytes();

    /** Bytes that may still be written. */
    long usableBytes();
}
