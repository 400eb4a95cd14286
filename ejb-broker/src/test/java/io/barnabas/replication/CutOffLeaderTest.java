package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.partition.CutOffException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A leader whose network is cut, and the clients that wait for it. */
class CutOffLeaderTest {
    private static final int FETCH_WAIT_MS = 500;

    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);
    private boolean sessionIsOver;
    private final CutOffLeader cutOff = new CutOffLeader(
            () -> sessionIsOver,
            FETCH_WAIT_MS,
            cluster.node(1).partitions,
            new IsrChanges.Time(cluster.ticker, Runnable::run));

    CutOffLeaderTest() {
        cutOff.start();
    }

    @AfterEach
    void close() {
        cutOff.close();
    }

    private CompletableFuture<Void> produce(String value) {
        long offset = cluster.append(1, 0, -1, value);
        return cluster.leader(0).committedForClient(offset + 1, 0).toCompletableFuture();
    }

    @Test
    void letsWaitingClientsGoWhenItsSessionIsOverAndItsReplicasAreSilent() {
        // Given
        cluster.isolate(1, true);
        CompletableFuture<Void> waiting = produce("a");
        cluster.run(3_000);
        assertThat(waiting).isNotDone();
        // When
        sessionIsOver = true;
        cluster.run(250);
        // Then
        assertThat(waiting)
                .failsWithin(java.time.Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(CutOffException.class);
        // When it is reached again, and leads on
        cluster.heal();
        sessionIsOver = false;
        cluster.run(5_000);
        // Then
        assertThat(cluster.leader(0).highWatermark()).isOne();
        CompletableFuture<Void> later = produce("b");
        cluster.run(10);
        assertThat(later).isCompleted();
    }

    @Test
    void goesOnWithoutAControllerWhileItsReplicasFetch() {
        sessionIsOver = true;
        cluster.run(5_000);

        CompletableFuture<Void> waiting = produce("a");
        cluster.run(10);

        assertThat(waiting).isCompleted();
    }

    @Test
    void itsFollowersDoNotTakeItForSilentWhileALargeAnswerArrives() {
        cluster.run(2_000);

        cluster.network.trickle("host1", "host2");
        cluster.run(4_000);

        assertThat(cluster.node(2).fetchers.silentLeaders(1_500)).isEmpty();
    }

    @Test
    void itsFollowersTakeItForSilentUntilItAnswersAgain() {
        cluster.run(2_000);
        assertThat(cluster.node(2).fetchers.silentLeaders(1_500)).isEmpty();

        cluster.isolate(1, true);
        cluster.run(2_100);
        assertThat(cluster.node(2).fetchers.silentLeaders(1_500)).containsExactly(1);
        assertThat(cluster.node(3).fetchers.silentLeaders(1_500)).containsExactly(1);
        cluster.heal();
        cluster.run(2_000);

        assertThat(cluster.node(2).fetchers.silentLeaders(1_500)).isEmpty();
    }
}
