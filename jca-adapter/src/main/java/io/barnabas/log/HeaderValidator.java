package io.barnabas.log;

import java.nio.ByteBuffer;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Checks headers and CRC alone: what recovery and replication need of a batch that some leader has already judged. */
final class HeaderValidator implements BatchValidator {
    @Override
    public ValidatedBatch validate(MemoryRecords memory, AppendOrigin origin, LogConfig config, long nowMs) {
        ByteBuffer buffer = memory.buffer();
        int at = buffer.position();
        int batches = 0;
        int records = 0;
        while (at < buffer.limit()) {
            int size = checkedSize(buffer, at);
            if (origin != AppendOrigin.REPLICATION && size > config.maxMessageBytes()) {
                throw new RecordTooLargeException(
                        "The batch of " + size + " bytes exceeds max.message.bytes " + config.maxMessageBytes());
            }
            records += BatchHeader.recordCount(buffer, at);
            batches++;
            at += size;
        }
        if (batches == 0 || (origin == AppendOrigin.CLIENT && batches != 1)) {
            throw new InvalidRecordException("Expected one record batch, found " + batches);
        }
        return new ValidatedBatch(buffer, records, -1L);
    }

    private static int checkedSize(ByteBuffer buffer, int at) {
        int left = buffer.limit() - at;
        int size = left < BatchHeader.SIZE ? -1 : BatchHeader.sizeInBytes(buffer, at);
        if (size < BatchHeader.SIZE || size > left) {
            throw new CorruptRecordException("A batch of " + size + " bytes in " + left);
        }
        if (BatchHeader.magic(buffer, at) != 2) {
            throw new InvalidRecordException("Record batch of magic " + BatchHeader.magic(buffer, at));
        }
        if (!BatchHeader.crcMatches(buffer, at, size)) {
            throw new CorruptRecordException("The record batch's CRC does not match");
        }
        return size;
    }
}
