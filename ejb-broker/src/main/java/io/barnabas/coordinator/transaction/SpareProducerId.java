package io.barnabas.coordinator.transaction;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.CoordinatorLoadInProgressException;
import org.jspecify.annotations.Nullable;

/**
 * One producer id that is at hand before anybody needs it: shards do not wait, and where ids come from may answer later. Safe from any
 * thread.
 */
final class SpareProducerId {
    private final Supplier<CompletableFuture<Long>> source;
    private @Nullable CompletableFuture<Long> spare; // guarded by this

    /** No id is at hand: to a client, as a shard that loads. */
    static final class NoneYet extends CoordinatorLoadInProgressException {
        private static final long serialVersionUID = 1L;

        NoneYet() {
            super("There is no new producer id yet.");
        }
    }

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

    /** @throws NoneYet none is at hand; it is on its way */
    synchronized long take() {
        CompletableFuture<Long> present = ready();
        if (!present.isDone() || present.isCompletedExceptionally()) {
            throw new NoneYet();
        }
        spare = null;
        return present.join();
    }
}
