package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.partition.ReplicationThrottle;
import io.barnabas.port.PeerConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.Test;

/** A follower whose leader is not heard any more, though nobody says that the connection is lost. */
class ConnectionWatchTest {
    private static final FetcherSettings SETTINGS =
            new FetcherSettings(1, 500, 10 << 20, 1 << 16, 1_000, Integer.MAX_VALUE);

    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);
    private final List<DeafConnection> deaf = new ArrayList<>();
    private boolean answersArrive;

    /** Takes requests and answers none. */
    private final class DeafConnection implements PeerConnection {
        private boolean open = true;

        @Override
        public void send(ApiMessage request, short version, int timeoutMs, Answer answer) {
            // it is under way
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public boolean hasHeardWithin(long ms) {
            return answersArrive;
        }

        @Override
        public Executor eventLoop() {
            return Runnable::run;
        }

        @Override
        public void close() {
            open = false;
        }
    }

    private PeerConnection deaf() {
        DeafConnection connection = new DeafConnection();
        deaf.add(connection);
        return connection;
    }

    private ReplicaFetcher follow(Peers peers) {
        cluster.node(2).fetchers.close();
        long epoch = cluster.node(2).metadata.image().broker(2).orElseThrow().epoch();
        ReplicaFetcher fetcher = new ReplicaFetcher(
                1,
                new ReplicaFetchers.Follower(
                        2, () -> epoch, peers, cluster.clock, cluster.ticker, Runnable::run, ReplicationThrottle.NONE),
                SETTINGS);
        new ConnectionWatch(fetcher, cluster.ticker, SETTINGS.maxWaitMs()).begin();
        fetcher.add(new FollowedPartition(
                cluster.node(2).partition(0), cluster.node(2).partition(0).leaderEpoch()));
        return fetcher;
    }

    @Test
    void theLeaderIsAskedOverAnotherConnection() {
        // Given
        cluster.append(1, 0, 1, "a");
        follow(broker -> deaf.isEmpty()
                ? deaf()
                : cluster.network
                        .connector(ReplicaNode.host(2))
                        .connect(ReplicaNode.host(broker), ReplicaNode.PORT, "replica-2"));
        cluster.run(2_900);
        assertThat(deaf).singleElement().matches(PeerConnection::isOpen);
        // When
        cluster.run(2_000);
        // Then
        assertThat(deaf.get(0).isOpen()).isFalse();
        assertThat(cluster.node(2).contents(0)).containsExactly("0:a");
    }

    @Test
    void aLeaderThatStandsStillIsNotGivenManyConnections() {
        follow(broker -> deaf());

        cluster.run(60_000);

        assertThat(deaf).hasSizeBetween(5, 8);
        assertThat(deaf).filteredOn(PeerConnection::isOpen).hasSize(1);
    }

    @Test
    void aLeaderWhoseAnswerIsStillArrivingIsHeard() {
        answersArrive = true;
        follow(broker -> deaf());

        cluster.run(60_000);

        assertThat(deaf).singleElement().matches(PeerConnection::isOpen);
    }

    @Test
    void aFetcherThatIsClosedMakesNoConnection() {
        ReplicaFetcher fetcher = follow(broker -> deaf());
        PeerConnection connection = deaf.get(0);
        cluster.run(2_000);

        fetcher.close();
        cluster.run(60_000);

        assertThat(deaf).hasSize(1);
        assertThat(connection.isOpen()).isFalse();
    }
}
