package io.barnabas.coordinator.transaction;

import static io.barnabas.coordinator.transaction.TransactionFixture.A;
import static io.barnabas.coordinator.transaction.TransactionFixture.B;
import static io.barnabas.coordinator.transaction.TransactionFixture.TIMEOUT_MS;
import static io.barnabas.coordinator.transaction.TransactionFixture.TV2;
import static io.barnabas.coordinator.transaction.TransactionFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What metrics are told of transactions. */
class TransactionFiguresTest {
    private final TransactionFixture fixture = new TransactionFixture();
    private TransactionFigures figures;

    @BeforeEach
    void figures() {
        figures = fixture.transactions.figures();
    }

    private ProducerIdentity writing(String id) {
        ProducerIdentity producer = fixture.init(id);
        fixture.add(id, producer, TV2, A, B);
        return producer;
    }

    @Test
    void endsAreCountedWithTheTimeToTheirLastMarker() {
        fixture.end("x", writing("x"), true, TV2);
        ProducerIdentity slow = writing("y");
        fixture.holdMarkers = true;
        fixture.end("y", slow, false, TV2);
        assertThat(figures.markersPending()).isEqualTo(2);
        assertThat(figures.aborted()).isZero();
        fixture.advance(3_000);
        fixture.releaseMarkers();

        assertThat(figures.committed()).isOne();
        assertThat(figures.aborted()).isOne();
        assertThat(figures.markersPending()).isZero();
        assertThat(figures.ends().totalNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(3));
    }

    @Test
    void markersThatFailArePendingAndCountedAgain() {
        ProducerIdentity producer = writing("x");
        fixture.refusals.put(B, Errors.NOT_LEADER_OR_FOLLOWER);
        fixture.end("x", producer, true, TV2);

        assertThat(figures.markersPending()).isOne();
        assertThat(figures.markersRepeated()).isOne();
        fixture.refusals.clear();
        fixture.advance(5_000);
        assertThat(figures.markersPending()).isZero();
        assertThat(figures.committed()).isOne();
    }

    @Test
    void aShardThatGoesTakesItsPendingMarkersAlong() {
        ProducerIdentity producer = writing("x");
        fixture.holdMarkers = true;
        fixture.end("x", producer, true, TV2);
        fixture.transactions.onResigned(0);

        assertThat(figures.markersPending()).isZero();
    }

    @Test
    void timeoutsAreCounted() {
        writing("x");
        fixture.advance(2 * TIMEOUT_MS);

        assertThat(figures.timedOut()).isOne();
        assertThat(figures.aborted()).isOne();
    }

    @Test
    void idsAreCountedByStateAndTheOldestTransactionIsKnown() {
        assertThat(now(fixture.transactions.census()).oldestStartMs()).isEqualTo(Long.MAX_VALUE);
        fixture.init("a");
        ProducerIdentity prepared = writing("b");
        long began = now(fixture.transactions.census()).oldestStartMs();
        fixture.advance(1_000);
        writing("c");
        now(fixture.transactions.prepare("b", prepared));

        TransactionCensus census = now(fixture.transactions.census());
        assertThat(census.byState())
                .containsEntry("Empty", 1)
                .containsEntry("Prepared", 1)
                .containsEntry("Ongoing", 1)
                .containsEntry("CompleteCommit", 0);
        assertThat(census.oldestStartMs()).isEqualTo(began);
    }
}
