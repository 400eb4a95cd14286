package io.barnabas.log;

/**
 * Where a batch went.
 *
 * @param baseOffset of the batch; for a duplicate, of the batch that was appended before
 * @param lastOffset of the batch
 * @param logAppendTimeMs the time the broker gave it, or -1 under CreateTime
 * @param logStartOffset of the log after the append
 * @param duplicate the producer sent this batch before: nothing was appended (idempotent retry)
 * @param bytes appended
 * @param records appended
 */
public record AppendResult(
        long baseOffset,
        long lastOffset,
        long logAppendTimeMs,
        long logStartOffset,
        boolean duplicate,
        int bytes,
        int records) {}
