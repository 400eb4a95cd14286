package io.barnabas.log;

import java.nio.ByteBuffer;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.jspecify.annotations.Nullable;

/**
 * The record of a control batch that ends a transaction: key = version i16, type i16 (0 abort, 1 commit); value = version i16,
 * coordinator epoch i32. Control batches are never compressed.
 */
record TransactionMarker(boolean commit, int coordinatorEpoch) {
    /** Null if the batch is empty (compacted) or holds a control record of another kind. */
    static @Nullable TransactionMarker read(ByteBuffer batch, int at) {
        if (BatchHeader.recordCount(batch, at) < 1) {
            return null;
        }
        ByteBuffer record = batch.duplicate();
        record.limit(Math.min(record.capacity(), at + BatchHeader.sizeInBytes(batch, at)));
        record.position(at + BatchHeader.SIZE);
        ByteUtils.readVarint(record); // length
        record.get(); // attributes
        ByteUtils.readVarlong(record); // timestamp delta
        ByteUtils.readVarint(record); // offset delta
        if (ByteUtils.readVarint(record) < 4) {
            return null;
        }
        record.getShort(); // version
        short type = record.getShort();
        if (type != 0 && type != 1) {
            return null;
        }
        ByteUtils.readVarint(record); // value length
        record.getShort(); // version
        return new TransactionMarker(type == 1, record.getInt());
    }
}
