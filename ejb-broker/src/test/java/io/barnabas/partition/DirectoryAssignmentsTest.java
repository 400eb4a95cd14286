package io.barnabas.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.BrokerRegistration.Assignment;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotControllerException;
import org.junit.jupiter.api.Test;

/** What the metadata are told of replicas' directories while they cannot always be told. */
class DirectoryAssignmentsTest {
    private static final Uuid TOPIC = new Uuid(7, 7);
    private static final long MINUTE = 60_000;

    private final ManualTicker ticker = new ManualTicker(new ManualClock());
    private final List<List<Assignment>> told = new ArrayList<>();
    private CompletableFuture<Long> answer = CompletableFuture.completedFuture(1L);
    private final DirectoryAssignments assignments = new DirectoryAssignments(1, this::assign, ticker);

    private CompletableFuture<Long> assign(List<Assignment> batch) {
        told.add(batch);
        return answer;
    }

    private static Assignment in(int partition, long directory) {
        return new Assignment(TOPIC, partition, new Uuid(1, directory));
    }

    private static CompletableFuture<Long> failure() {
        return CompletableFuture.failedFuture(new NotControllerException("elsewhere"));
    }

    @Test
    void whatWasCommittedIsToldOnce() {
        assignments.tell(List.of(in(0, 100)));

        ticker.advance(MINUTE);

        assertThat(told).containsExactly(List.of(in(0, 100)));
    }

    @Test
    void whatWasNotCommittedIsToldUntilItIsAndMoreSeldomWithTime() {
        // Given
        answer = failure();
        assignments.tell(List.of(in(0, 100)));
        ticker.advance(10 * MINUTE);
        assertThat(told).hasSizeBetween(10, 30).containsOnly(List.of(in(0, 100)));

        // When
        answer = CompletableFuture.completedFuture(1L);
        ticker.advance(MINUTE);

        // Then
        assertThat(ticker.pending()).isZero();
    }

    @Test
    void onlyTheLatestDirectoryIsToldAgain() {
        // Given
        answer = failure();
        assignments.tell(List.of(in(0, 100), in(1, 100)));
        assignments.tell(List.of(in(0, 101)));
        told.clear();

        // When
        answer = CompletableFuture.completedFuture(1L);
        ticker.advance(MINUTE);

        // Then
        assertThat(told).containsExactly(List.of(in(0, 101), in(1, 100)));
    }

    @Test
    void aFailureThatComesAfterAnotherDirectoryWasCommittedIsOfNoMatter() {
        // Given
        CompletableFuture<Long> late = new CompletableFuture<>();
        answer = late;
        assignments.tell(List.of(in(0, 100)));
        answer = CompletableFuture.completedFuture(1L);
        assignments.tell(List.of(in(0, 101)));
        told.clear();

        // When
        late.completeExceptionally(new NotControllerException("elsewhere"));
        ticker.advance(MINUTE);

        // Then
        assertThat(told).isEmpty();
    }

    @Test
    void nothingIsToldAfterTheEnd() {
        // Given
        answer = failure();
        assignments.tell(List.of(in(0, 100)));

        // When
        assignments.close();
        assignments.tell(List.of(in(1, 100)));
        ticker.advance(MINUTE);

        // Then
        assertThat(told).hasSize(1);
        assertThat(ticker.pending()).isZero();
    }
}
