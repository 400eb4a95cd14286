package io.barnabas.log;

import java.nio.ByteBuffer;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Judges what is to be appended. Runs before the log's lock is taken, on the appending thread, so it knows no offset: offsets and
 * leader epochs lie outside the CRC and are stamped afterwards, into whatever buffer it answers.
 *
 * <p>Safe from any thread.
 */
interface BatchValidator {
    /**
     * Checks the batches, and rewrites them where the topic asks for it (LogAppendTime, another compression).
     *
     * @param nowMs wall-clock time: the bound of CreateTime stamps and the value of LogAppendTime
     * @throws org.apache.kafka.common.errors.ApiException the protocol's error; nothing may be appended
     */
    ValidatedBatch validate(MemoryRecords records, AppendOrigin origin, LogConfig config, long nowMs);

    /**
     * What may be appended.
     *
     * @param buffer whole, good batches from position to limit: the buffer that came, or a new one after a rewrite. Never read-only
     * @param records records in all batches
     * @param logAppendTimeMs the time stamped under LogAppendTime, or -1
     */
    record ValidatedBatch(ByteBuffer buffer, int records, long logAppendTimeMs) {}
}
