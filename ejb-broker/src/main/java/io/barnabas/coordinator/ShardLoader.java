package io.barnabas.coordinator;

import java.util.function.Consumer;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/** Replays the batches of a log into a shard that nobody else sees yet. Used by one worker; handed over when done. */
final class ShardLoader implements Consumer<RecordBatch> {
    private final RecordTypes types;
    private final CoordinatorShard shard;
    private long nextOffset;
    private long records;

    ShardLoader(RecordTypes types, CoordinatorShard shard) {
        this.types = types;
        this.shard = shard;
    }

    @Override
    public void accept(RecordBatch batch) {
        for (Record record : batch) {
            if (batch.isControlBatch()) {
                replayControl(batch.producerId(), ControlRecordType.parse(record.key()));
            } else {
                replay(batch.producerId(), record);
            }
            records++;
        }
        nextOffset = batch.nextOffset();
    }

    long nextOffset() {
        return nextOffset;
    }

    long records() {
        return records;
    }

    private void replayControl(long producerId, ControlRecordType type) {
        if (type == ControlRecordType.COMMIT || type == ControlRecordType.ABORT) {
            shard.replayMarker(producerId, type == ControlRecordType.COMMIT);
        }
    }

    private void replay(long producerId, Record record) {
        if (!record.hasKey()) {
            return; // no coordinator wrote it
        }
        @Nullable CoordinatorRecord decoded = BatchEncoder.decode(record, types);
        if (decoded != null) {
            shard.replay(record.offset(), producerId, decoded);
        }
    }
}
