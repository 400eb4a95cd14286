package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.errors.CoordinatorLoadInProgressException;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.jspecify.annotations.Nullable;

/**
 * Gives out producer ids, each once in the cluster's life. They come from the controller in blocks (KIP-730), so that a new producer
 * seldom waits for the journal; what is left of a block at the end of the process is lost. Safe from any thread.
 */
public final class ProducerIds {
    /** Ids in a block. */
    static final int BLOCK_SIZE = 1000;
    /** Bound on requests that wait for a block. */
    private static final int WAITING_MAX = 100_000;

    private final Controller controller;
    private final int brokerId;
    private final Queue<CompletableFuture<Long>> waiting = new ArrayDeque<>(); // guarded by this
    private long next; // guarded by this
    private long end; // guarded by this
    private boolean asking; // guarded by this

    /** Ids for the producers of a broker. */
    public ProducerIds(Controller controller, int brokerId) {
        this.controller = controller;
        this.brokerId = brokerId;
    }

    /** An id that nobody had before; fails if the controller cannot be asked, which a client tries again. */
    public CompletableFuture<Long> next() {
        CompletableFuture<Long> answer = new CompletableFuture<>();
        synchronized (this) {
            if (next < end) {
                return CompletableFuture.completedFuture(next++);
            }
            if (waiting.size() >= WAITING_MAX) {
                return CompletableFuture.failedFuture(
                        new CoordinatorLoadInProgressException("Too many producers wait for an id"));
            }
            waiting.add(answer);
            if (asking) {
                return answer;
            }
            asking = true;
        }
        ask();
        return answer;
    }

    private void ask() {
        controller
                .submit("AllocateProducerIds", image -> allocate(image, brokerId))
                .whenComplete(this::onBlock);
    }

    /** The rule of giving a block to a broker. */
    static Decision<Long> allocate(MetadataImage image, int brokerId) {
        BrokerImage broker = image.broker(brokerId)
                .orElseThrow(() -> new BrokerIdNotRegisteredException("Broker ID " + brokerId + " is not registered"));
        long first = image.nextProducerId();
        return Decision.of(
                List.of(new ProducerIdsRecord()
                        .setBrokerId(brokerId)
                        .setBrokerEpoch(broker.epoch())
                        .setNextProducerId(first + BLOCK_SIZE)),
                first);
    }

    private void onBlock(@Nullable Long first, @Nullable Throwable failure) {
        List<CompletableFuture<Long>> served;
        long from;
        boolean more;
        synchronized (this) {
            if (first != null) {
                next = first;
                end = first + BLOCK_SIZE;
            }
            int count = failure != null ? waiting.size() : (int) Math.min(waiting.size(), end - next);
            served = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                served.add(waiting.remove());
            }
            from = next;
            next += first == null ? 0 : count;
            more = !waiting.isEmpty();
            asking = more;
        }
        for (int i = 0; i < served.size(); i++) {
            if (failure != null) {
                served.get(i).completeExceptionally(failure);
            } else {
                served.get(i).complete(from + i);
            }
        }
        if (more) {
            ask();
        }
    }
}
