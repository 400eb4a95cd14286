package io.barnabas.coordinator.transaction;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * One producer id that is at hand before anybody needs it: shards do not wait, and where ids come from may answer later. Safe from any
 * thread.
 */
final class SpareProducerId {
    private final Supplier<CompletableFuture<Long>> source;
    private @Nullable CompletableFuture<Long> spare; // guarded by this

    SpareProducerId(Supplier<CompletableFuture<Long>> source) {
        this.source = source;
    }

    /** Completes when {@link #take} will succeed, unless somebody else comes first. */
    synchronized CompletableFuture<Long> ready() {
        CompletableFuture<Long> present = spare;
        if (present == null || present.isCompletedExceptionally()) {
            present = source.get();
            spare = present;
        }
        return present;
    }

    /** @throws org.apache.kafka.common.errors.CoordinatorLoadInProgressException none is at hand yet */
    synchronized long take() {
        CompletableFuture<Long> present = ready();
        if (!present.isDone() || present.isCompletedExceptionally()) {
            throw Errors.COORDINATOR_LOAD_IN_PROGRESS.exception();
        }
        spare = null;
        return present.join();
    }
}
