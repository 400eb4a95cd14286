package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How long the controller bears with a broker that it does not hear. */
@NullUnmarked
class FencingTest {
    private final TestCluster cluster = TestCluster.ofThree();

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** Broker 2 is in service after the first time, in which only the others are heard, and not after the second. */
    private void isFencedBetween(int afterMs, int beforeMs, int... heard) {
        cluster.pass(afterMs, heard);
        assertThat(cluster.broker(2).fenced()).isFalse();
        cluster.pass(beforeMs - afterMs, heard);
        assertThat(cluster.broker(2).fenced()).isTrue();
    }

    @Test
    void fencesABrokerThatIsNotHeardAndTakesItBackWhenItIs() {
        // Given
        cluster.topic("a", 2, 3, 1);
        // When, then
        isFencedBetween(2_900, 3_200, 1, 3);
        assertThat(cluster.broker(3).fenced()).isFalse();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
        assertThat(cluster.partition("a").leaderEpoch()).isEqualTo(1);
        assertThat(cluster.partition("a").isr()).containsExactly(3, 1);
        // When
        assertThat(cluster.heartbeat(2).isFenced()).isFalse();
        // Then
        assertThat(cluster.broker(2).fenced()).isFalse();
        assertThat(cluster.partition("a").isr()).containsExactly(3, 1);
    }

    @Test
    void takesABrokerBackThatHasHeardOfItsFenceAndNotWithAFormerPictureOfWhoLeads() {
        // Given a broker that is cut off, and fenced
        cluster.topic("a", 2, 3, 1);
        cluster.heartbeat(2);
        long former = cluster.image().index();
        cluster.pass(3_200, 1, 3);
        assertThat(cluster.broker(2).fenced()).isTrue();
        // When it is heard again, and has not been sent any metadata yet
        BrokerHeartbeatRequestData heartbeat = new BrokerHeartbeatRequestData()
                .setBrokerId(2)
                .setBrokerEpoch(cluster.epoch(2))
                .setCurrentMetadataOffset(former);
        assertThat(cluster.heartbeat(heartbeat).isFenced()).isTrue();
        assertThat(cluster.heartbeat(heartbeat).isFenced()).isTrue();
        // Then it stays out of service until it has
        assertThat(cluster.broker(2).fenced()).isTrue();
        assertThat(cluster.heartbeat(2).isFenced()).isFalse();
        assertThat(cluster.broker(2).fenced()).isFalse();
    }

    @Test
    void fencesAtOnceABrokerWhoseConnectionEndedAndWhereNobodyListens() {
        // Given
        cluster.topic("a", 2, 3, 1);
        // When
        cluster.kill(2);
        // Then
        assertThat(cluster.broker(2).fenced()).isTrue();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
    }

    @Test
    void brokerThatOnlyLostItsConnectionKeepsItsSessionHoweverLongItTakesToConnectAgain() {
        // When
        cluster.service().onDisconnected(2);
        // Then
        isFencedBetween(2_800, 3_100, 1, 3);
    }

    @Test
    void brokerThatLostItsConnectionAndIsNeitherThereNorGoneHasHalfASession() {
        // Given
        cluster.finding(2, BrokerProbe.Finding.UNKNOWN);
        // When
        cluster.service().onDisconnected(2);
        // Then
        isFencedBetween(1_400, 1_600, 1, 3);
    }

    @Test
    void brokerThatWasHeardWhileItWasLookedForIsNotGone() {
        // Given
        CompletableFuture<BrokerProbe.Finding> finding = new CompletableFuture<>();
        cluster.findings.put(2, finding);
        cluster.service().onDisconnected(2);
        cluster.heartbeat(2);
        // When
        finding.complete(BrokerProbe.Finding.GONE);
        cluster.pass(500, 1, 3);
        // Then
        assertThat(cluster.broker(2).fenced()).isFalse();
    }

    @Test
    void looksForABrokerThatIsSilentThoughItsConnectionStands() {
        // Given
        cluster.finding(2, BrokerProbe.Finding.GONE);
        // When, then
        isFencedBetween(900, 1_100, 1, 3);
    }

    @Test
    void newControllerGivesEveryBrokerAFullSession() {
        // Given
        cluster.pass(2_000, 1, 2);
        cluster.metadata.onLeader(2);
        cluster.pass(10_000);
        // When
        cluster.metadata.onLeader(TestCluster.CONTROLLER);
        cluster.pass(2_900, 2);
        // Then
        assertThat(cluster.broker(3).fenced()).isFalse();
        // When
        cluster.pass(200, 2);
        // Then
        assertThat(cluster.broker(3).fenced()).isTrue();
        assertThat(cluster.broker(2).fenced()).isFalse();
        assertThat(cluster.broker(1).fenced()).isFalse(); // its own: whoever looks is alive
    }

    @Test
    void controllerThatLeadsAgainAfterNobodyDidGivesFullSessions() {
        // Given
        cluster.pass(2_000);
        cluster.metadata.onLeader(MetadataLog.NO_LEADER);
        cluster.pass(2_000);
        // When
        cluster.metadata.onLeader(TestCluster.CONTROLLER);
        cluster.pass(2_900);
        // Then
        assertThat(cluster.broker(2).fenced()).isFalse();
        assertThat(cluster.broker(3).fenced()).isFalse();
    }

    @Test
    void newControllerFencesAtOnceWhoIsGoneAndNobodyElse() {
        // Given
        cluster.topic("a", 2, 3, 1);
        cluster.metadata.onLeader(2);
        cluster.metadata.onLeader(MetadataLog.NO_LEADER);
        cluster.finding(2, BrokerProbe.Finding.GONE);
        // When
        cluster.metadata.onLeader(TestCluster.CONTROLLER);
        cluster.pass(1);
        // Then
        assertThat(cluster.broker(2).fenced()).isTrue();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
        // When
        cluster.pass(2_800);
        // Then
        assertThat(cluster.broker(3).fenced()).isFalse(); // it is there, and slow
    }

    @Test
    void formerControllerThatStandsStillHasHalfASession() {
        // Given
        cluster.topic("a", 2, 3, 1);
        cluster.metadata.onLeader(2);
        cluster.finding(2, BrokerProbe.Finding.UNKNOWN);
        cluster.finding(3, BrokerProbe.Finding.UNKNOWN);
        // When
        cluster.metadata.onLeader(TestCluster.CONTROLLER);
        // Then
        isFencedBetween(1_400, 1_600);
        assertThat(cluster.broker(3).fenced()).isFalse();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
    }

    @Test
    void formerControllerThatIsThereKeepsItsSession() {
        // Given
        cluster.metadata.onLeader(2);
        // When
        cluster.metadata.onLeader(TestCluster.CONTROLLER);
        cluster.pass(2_800);
        // Then
        assertThat(cluster.broker(2).fenced()).isFalse();
    }

    @Test
    void fencesNobodyAfterItStoodStillItself() {
        // When
        cluster.clock.advance(20_000);
        cluster.ticker.advance(1);
        // Then
        isFencedBetween(2_800, 3_100);
    }
}
