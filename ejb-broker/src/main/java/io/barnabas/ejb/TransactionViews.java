package io.barnabas.ejb;

import io.barnabas.admin.TransactionView;
import io.barnabas.coordinator.transaction.TransactionCensus;
import io.barnabas.coordinator.transaction.TransactionPicture;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The console's view of transactions, asked of the coordinator, and its census for the metrics. While a shard is loading, or does not
 * answer within {@value #WAIT_MS} ms, the list is empty. Safe from any thread but an event loop.
 */
final class TransactionViews {
    private static final Logger LOG = LoggerFactory.getLogger(TransactionViews.class);
    private static final long WAIT_MS = 2_000;
    private static final int MAX = 1_000;
    private static final Comparator<TransactionView> OLDEST_FIRST = Comparator.comparing(
                    (TransactionView view) -> view.ageMs() < 0)
            .thenComparing(Comparator.comparingLong(TransactionView::ageMs).reversed())
            .thenComparing(TransactionView::id);

    private final BrokerNode node;

    TransactionViews(BrokerNode node) {
        this.node = node;
    }

    List<TransactionView> all() {
        long now = node.port().clock().wallMillis();
        return answer(node.transactions().pictures()).orElse(List.of()).stream()
                .map(picture -> view(picture, now))
                .sorted(OLDEST_FIRST)
                .limit(MAX)
                .toList();
    }

    Optional<TransactionCensus> census() {
        return answer(node.transactions().census());
    }

    private static TransactionView view(TransactionPicture picture, long now) {
        return new TransactionView(
                picture.transactionalId(),
                picture.state(),
                picture.transaction().id(),
                picture.transaction().epoch(),
                picture.timeoutMs() == Integer.MAX_VALUE ? -1 : picture.timeoutMs(),
                picture.isOpen() ? Math.max(0, now - picture.startTimestampMs()) : -1,
                picture.partitions().stream()
                        .map(TopicPartition::toString)
                        .sorted()
                        .toList());
    }

    private static <T> Optional<T> answer(CompletableFuture<T> future) {
        try {
            return Optional.of(future.get(WAIT_MS, TimeUnit.MILLISECONDS));
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("a view of transactions is incomplete", e);
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
