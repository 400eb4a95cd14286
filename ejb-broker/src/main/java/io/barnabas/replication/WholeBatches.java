package io.barnabas.replication;

import java.nio.ByteBuffer;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Records;

/** Takes off the last batch of an answer where the leader's limit of bytes has cut it. Pure; looks at lengths only. */
final class WholeBatches {
    private WholeBatches() {}

    static MemoryRecords of(MemoryRecords records) {
        ByteBuffer buffer = records.buffer();
        int at = buffer.position();
        while (buffer.limit() - at >= DefaultRecordBatch.RECORD_BATCH_OVERHEAD) {
            int size = buffer.getInt(at + Records.SIZE_OFFSET) + Records.LOG_OVERHEAD;
            if (size < DefaultRecordBatch.RECORD_BATCH_OVERHEAD || size > buffer.limit() - at) {
                break;
            }
            at += size;
        }
        return at == buffer.limit() ? records : MemoryRecords.readableRecords(buffer.limit(at));
    }
}
