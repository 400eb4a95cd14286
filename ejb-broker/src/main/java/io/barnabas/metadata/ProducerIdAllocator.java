package io.barnabas.metadata;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.CoordinatorLoadInProgressException;
import org.jspecify.annotations.Nullable;

/**
 * Gives producer ids out of blocks that the controller allocates, each id once in the cluster's life. The next block is asked for when
 * a tenth of the present one is left, so that as a rule an id is there at once; ids of a block that is left over at a stop are never
 * used. Safe from any thread.
 */
public final class ProducerIdAllocator {
    /** Callers that may wait for a block at once. */
    private static final int WAITING_MAX = 10_000;
    /** Ids left when the next block is asked for. */
    private static final int PREFETCH_AT = ControllerService.PRODUCER_ID_BLOCK / 10;

    private final Supplier<CompletableFuture<Long>> blocks;
    private final Queue<CompletableFuture<Long>> waiting = new ArrayDeque<>(); // all guarded by this
    private long next;
    private long end;
    private long reserved = -1; // first id of the block after this one
    private boolean asking;

    /**
     * @param blocks asks for a block; answers its first id
     */
    ProducerIdAllocator(Supplier<CompletableFuture<Long>> blocks) {
        this.blocks = blocks;
    }

    /**
     * The next id: completed already as a rule, else when the controller has given a block.
     *
     * @return fails with {@link CoordinatorLoadInProgressException}, which clients retry, when none can be had now
     */
    public CompletableFuture<Long> next() {
        CompletableFuture<Long> id = new CompletableFuture<>();
        boolean ask;
        synchronized (this) {
            if (!take(id)) {
                if (waiting.size() >= WAITING_MAX) {
                    return CompletableFuture.failedFuture(none(null));
                }
                waiting.add(id);
            }
            ask = shouldAsk();
        }
        if (ask) {
            ask();
        }
        return id;
    }

    private boolean take(CompletableFuture<Long> id) {
        if (next == end && reserved >= 0) {
            next = reserved;
            end = next + ControllerService.PRODUCER_ID_BLOCK;
            reserved = -1;
        }
        return next < end && id.complete(next++);
    }

    private boolean shouldAsk() {
        if (asking || reserved >= 0 || end - next > PREFETCH_AT) {
            return false;
        }
        asking = true;
        return true;
    }

    private void ask() {
        CompletableFuture<Long> unused = blocks.get().whenComplete(this::onBlock);
    }

    private void onBlock(@Nullable Long first, @Nullable Throwable e) {
        Queue<CompletableFuture<Long>> failed = new ArrayDeque<>();
        Queue<Runnable> given = new ArrayDeque<>();
        boolean ask;
        synchronized (this) {
            asking = false;
            if (first == null) {
                failed.addAll(waiting);
                waiting.clear();
                ask = false;
            } else {
                reserved = first;
                serve(given);
                ask = shouldAsk();
            }
        }
        given.forEach(Runnable::run);
        failed.forEach(id -> id.completeExceptionally(none(e)));
        if (ask) {
            ask();
        }
    }

    /** Takes ids for those that wait; they are told later, without the lock. */
    private void serve(Queue<Runnable> given) {
        CompletableFuture<Long> taken = new CompletableFuture<>();
        while (!waiting.isEmpty() && take(taken)) {
            CompletableFuture<Long> id = waiting.remove();
            long value = taken.join();
            given.add(() -> id.complete(value));
            taken = new CompletableFuture<>();
        }
    }

    private static CoordinatorLoadInProgressException none(@Nullable Throwable cause) {
        return new CoordinatorLoadInProgressException("No producer id is at hand yet", cause);
    }
}
