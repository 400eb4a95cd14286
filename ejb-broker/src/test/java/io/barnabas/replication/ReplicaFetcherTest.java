package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.barnabas.log.LogConfig;
import io.barnabas.partition.ReplicationThrottle;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** A follower's fetcher when things go wrong. */
class ReplicaFetcherTest {
    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);

    private FollowedPartition followed() {
        return new FollowedPartition(
                cluster.node(2).partition(0), cluster.node(2).partition(0).leaderEpoch());
    }

    @Test
    void aBrokerThatStopsWhileItConnectsFailsNobody() {
        AtomicInteger tries = new AtomicInteger();
        ReplicaFetcher fetcher = new ReplicaFetcher(
                1,
                new ReplicaFetchers.Follower(
                        2,
                        () -> 1,
                        broker -> {
                            tries.incrementAndGet();
                            throw new IllegalStateException("stopped");
                        },
                        cluster.clock,
                        cluster.ticker,
                        Runnable::run,
                        ReplicationThrottle.NONE),
                ReplicaNode.SETTINGS);

        assertThatCode(() -> fetcher.add(followed())).doesNotThrowAnyException();
        cluster.run(1_000);
        int beforeClose = tries.get();
        fetcher.close();
        cluster.run(10_000);

        assertThat(beforeClose).isGreaterThan(1);
        assertThat(tries).hasValue(beforeClose);
    }

    @Test
    void anErrorThatPassesWithNewMetadataIsNewsOnlyIfItLasts() {
        FollowedPartition partition = followed();
        int told = 0;
        for (int i = 0; i < 6; i++) {
            told += partition.isNews(Errors.UNKNOWN_LEADER_EPOCH) ? 1 : 0;
        }
        assertThat(told).isZero();
        for (int i = 0; i < 100; i++) {
            told += partition.isNews(Errors.UNKNOWN_LEADER_EPOCH) ? 1 : 0;
        }
        assertThat(told).isOne();
    }

    @Test
    void anotherErrorIsToldOnceUntilTheLeaderAnswersAgain() {
        FollowedPartition partition = followed();
        assertThat(partition.isNews(Errors.KAFKA_STORAGE_ERROR)).isTrue();
        assertThat(partition.isNews(Errors.KAFKA_STORAGE_ERROR)).isFalse();

        partition.onAnswer();

        assertThat(partition.isNews(Errors.KAFKA_STORAGE_ERROR)).isTrue();
    }
}
