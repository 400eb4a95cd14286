package io.barnabas.log;

import java.nio.file.Path;
import org.apache.kafka.common.Uuid;

/** One disk: online, or failed for good until the next start. */
public interface DataDirectory {
    /** Random, made when the directory was formatted, kept in meta.properties (KIP-858). */
    Uuid id();

    Path path();

    boolean online();

    /** Whether the end before this start was an orderly one: everything that was acknowledged is on the disk. */
    boolean cleanAtStart();

    /** Bytes of the file system. */
    long totalBytes();

    /** Bytes that may still be written. */
    long usableBytes();
}
