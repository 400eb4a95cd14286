package io.barnabas.coordinator.transaction;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.jspecify.annotations.Nullable;

/**
 * The transactional ids of a shard. What the log has of them changes by {@link #replay} alone. Confined to the shard's serial executor.
 */
final class Transactions {
    private final Map<String, Entry> entries = new HashMap<>();
    private final Map<String, Entry> busy = new HashMap<>(); // those with a transaction that is open or ending

    /** One transactional id. */
    static final class Entry {
        final String transactionalId;
        private TransactionMetadata metadata;
        private short lastEpoch = TransactionMetadata.NO_EPOCH;

        private Entry(String transactionalId, TransactionMetadata metadata) {
            this.transactionalId = transactionalId;
            this.metadata = metadata;
        }

        TransactionMetadata metadata() {
            return metadata;
        }

        /** The producer's epoch before the last change of it, as far as a repeated InitProducerId may name it; not in the log. */
        short lastEpoch() {
            return lastEpoch;
        }
    }

    @Nullable
    Entry find(String transactionalId) {
        return entries.get(transactionalId);
    }

    Collection<Entry> all() {
        return entries.values();
    }

    /** Those with a transaction that is open or ending. */
    Collection<Entry> busy() {
        return busy.values();
    }

    void rememberLastEpoch(String transactionalId, short epoch) {
        @Nullable Entry entry = entries.get(transactionalId);
        if (entry != null) {
            entry.lastEpoch = epoch;
        }
    }

    void replay(String transactionalId, @Nullable TransactionLogValue value) {
        if (value == null) {
            entries.remove(transactionalId);
            busy.remove(transactionalId);
            return;
        }
        TransactionMetadata metadata = TransactionRecords.metadata(value);
        @Nullable Entry entry = entries.get(transactionalId);
        if (entry == null) {
            entry = new Entry(transactionalId, metadata);
            entries.put(transactionalId, entry);
        } else {
            entry.metadata = metadata;
        }
        if (metadata.state().isIdle()) {
            busy.remove(transactionalId);
        } else {
            busy.put(transactionalId, entry);
        }
    }
}
