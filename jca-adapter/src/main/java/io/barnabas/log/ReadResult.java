package io.barnabas.log;

import java.util.List;
import org.apache.kafka.common.record.internal.BaseRecords;

/**
 * What a read found.
 *
 * @param records a {@link LogSlice}, or empty memory records
 * @param firstOffset the offset that was asked for (records may start at the base offset of the batch that holds it)
 * @param aborted transactions aborted in the range; empty unless asked for
 * @param cut the slice was cut by the byte limit, so that more could have been read
 */
public record ReadResult(BaseRecords records, long firstOffset, List<AbortedTransaction> aborted, boolean cut) {
    /** A transaction that read_committed consumers skip from {@code firstOffset} on. */
    public record AbortedTransaction(long producerId, long firstOffset) {}
}
