package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A broker that speaks to the controller, beside others that a test speaks for. */
@NullUnmarked
class BrokerRegistrationTest {
    private static final int BROKER = 4;

    private final TestCluster cluster = TestCluster.ofThree();
    private final List<ApiMessage> sent = new ArrayList<>();
    private final BrokerRegistration registration = registration();
    private boolean cutOff;

    private BrokerRegistration registration() {
        LocalChannel channel = new LocalChannel(cluster.service(), cluster.ticker);
        return new BrokerRegistration(
                (request, timeoutMs) -> {
                    sent.add(request);
                    if (cutOff) {
                        return new CompletableFuture<>();
                    }
                    return channel.send(request, timeoutMs);
                },
                cluster.metadata,
                BROKER,
                new BrokerRegistration.Pace(500, 3_000, cluster.clock, cluster.ticker));
    }

    @AfterEach
    void stop() {
        registration.close();
        cluster.close();
    }

    private static BrokerRegistration.Presentation presentation(long incarnation) {
        return new BrokerRegistration.Presentation(
                new Uuid(9, incarnation),
                List.of(new BrokerImage.Endpoint("PLAINTEXT", "localhost", 9092, (short) 0)),
                null,
                List.of(TestCluster.directory(BROKER)),
                FeatureControl.SUPPORTED,
                -1);
    }

    private long heartbeats() {
        return sent.stream()
                .filter(r -> r instanceof BrokerHeartbeatRequestData)
                .count();
    }

    @Test
    void comesIntoServiceWithoutWaitingForTheTimeOfAHeartbeat() {
        // When
        CompletableFuture<Long> registered = registration.register(presentation(1));
        // Then
        assertThat(registered).isCompletedWithValue(cluster.image().index());
        assertThat(cluster.broker(BROKER).fenced()).isTrue();
        // When
        CompletableFuture<?> serving = registration.unfence();
        // Then
        assertThat(serving).isCompleted();
        assertThat(cluster.broker(BROKER).fenced()).isFalse();
    }

    @Test
    void staysInServiceWhileItRunsAndIsFencedWhenItEnds() {
        // Given
        registration.register(presentation(1));
        registration.unfence();
        // When
        cluster.pass(10_000, 1, 2, 3);
        // Then
        assertThat(cluster.broker(BROKER).fenced()).isFalse();
        assertThat(heartbeats()).isBetween(18L, 24L);
        // When
        registration.close();
        cluster.pass(3_500, 1, 2, 3);
        // Then
        assertThat(cluster.broker(BROKER).fenced()).isTrue();
    }

    @Test
    void heartbeatsAtOnceWhenItIsFencedAndWhenTheControllerIsAnother() {
        // Given
        registration.register(presentation(1));
        registration.unfence();
        long before = heartbeats();
        // When
        cluster.replay(List.of(new BrokerRegistrationChangeRecord()
                .setBrokerId(BROKER)
                .setBrokerEpoch(registration.epoch())
                .setFenced((byte) 1)));
        // Then
        assertThat(cluster.broker(BROKER).fenced()).isFalse();
        assertThat(heartbeats()).isGreaterThan(before);
        // When
        before = heartbeats();
        cluster.metadata.onLeader(2);
        // Then
        assertThat(heartbeats()).isEqualTo(before + 1);
    }

    @Test
    void knowsWhenItsSessionMustBeOver() {
        // Given
        registration.register(presentation(1));
        registration.unfence();
        cluster.pass(10_000, 1, 2, 3);
        assertThat(registration.sessionIsOver()).isFalse();
        // When
        cutOff = true;
        cluster.pass(2_400, 1, 2, 3);
        // Then
        assertThat(registration.sessionIsOver()).isFalse();
        assertThat(cluster.broker(BROKER).fenced()).isFalse();
        // When
        cluster.pass(700, 1, 2, 3);
        // Then
        assertThat(registration.sessionIsOver()).isTrue();
        assertThat(cluster.broker(BROKER).fenced()).isTrue();
    }

    @Test
    void presentsItselfAnewUnderTheSameEpoch() {
        // Given
        registration.register(presentation(1));
        registration.unfence();
        long epoch = registration.epoch();
        // When
        registration.register(presentation(1));
        // Then
        assertThat(registration.epoch()).isEqualTo(epoch);
        assertThat(cluster.broker(BROKER).fenced()).isFalse();
    }

    @Test
    void waitsUntilTheSessionOfAFormerIncarnationIsOver() {
        // Given
        cluster.join(BROKER);
        long former = cluster.epoch(BROKER);
        // When
        CompletableFuture<Long> registered = registration.register(presentation(1));
        cluster.pass(2_000, 1, 2, 3);
        // Then
        assertThat(registered).isNotDone();
        // When
        cluster.pass(1_300, 1, 2, 3);
        // Then
        assertThat(registered).isCompleted();
        assertThat(registration.epoch()).isGreaterThan(former);
    }

    @Test
    void registersAgainAfterItWasTakenOutOfTheCluster() {
        // Given
        registration.register(presentation(1));
        registration.unfence();
        long epoch = registration.epoch();
        // When
        cluster.replay(List.of(new UnregisterBrokerRecord().setBrokerId(BROKER).setBrokerEpoch(epoch)));
        cluster.pass(600, 1, 2, 3);
        // Then
        assertThat(registration.epoch()).isGreaterThan(epoch);
        assertThat(cluster.broker(BROKER).fenced()).isFalse();
    }

    @Test
    void leavesWhenOthersLeadWhatItLed() {
        // Given
        registration.register(presentation(1));
        registration.unfence();
        cluster.topic("a", BROKER, 2, 3);
        // When
        CompletableFuture<?> left = registration.leave();
        // Then
        assertThat(left).isNotDone();
        assertThat(cluster.partition("a").leader()).isEqualTo(2);
        // When
        cluster.pass(200, 1, 2, 3);
        // Then
        assertThat(left).isCompleted();
        assertThat(cluster.broker(BROKER).fenced()).isTrue();
    }

    @Test
    void tellsDirectoriesAndTakesBlocksOfProducerIdsUnderItsEpoch() {
        // Given
        registration.register(presentation(1));
        Uuid topic = cluster.topic("a", 2, BROKER, 3);
        // When
        registration
                .assign(List.of(new BrokerRegistration.Assignment(topic, 0, new Uuid(8, 8))))
                .join();
        // Then
        assertThat(cluster.partition("a").directories().get(1)).isEqualTo(new Uuid(8, 8));
        long first = registration.allocateProducerIds().join();
        assertThat(registration.allocateProducerIds())
                .isCompletedWithValue(first + ControllerService.PRODUCER_ID_BLOCK);
    }
}
