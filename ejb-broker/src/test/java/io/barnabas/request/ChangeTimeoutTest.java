package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.Controller;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.metadata.TrailingMetadata;
import io.barnabas.wire.RequestFrame;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** A change of the metadata that takes longer than its request allows. */
@NullUnmarked
class ChangeTimeoutTest {
    private final ManualTime ticker = new ManualTime();
    private final Queue<Runnable> held = new ArrayDeque<>();
    private Executor followers = Runnable::run;
    private final TestMetadata metadata = new TestMetadata();
    private final LiveConfig config = new LiveConfig(BrokerConfig.of(Map.of()));
    private final Controller controller = metadata.controller(held::add);
    private final HandlerRegistry handlers = handlers();

    private HandlerRegistry handlers() {
        ControlPlane plane = new ControlPlane(
                TestMetadata.NODE_ID,
                TrailingMetadata.of(metadata.metadata(), task -> followers.execute(task), failure -> {}),
                controller,
                AtTheController.nothingIsForwarded(),
                config,
                ControlPlane.Rules.of(config, Policies.NONE, new Random(1)),
                () -> CompletableFuture.completedFuture(1L),
                listener -> 9092,
                new ControlPlane.Time(ticker, ticker));
        return new HandlerRegistry().add(ControlHandlers.of(plane, new AutoTopicCreation(plane), Set::of));
    }

    private void runHeld() {
        while (!held.isEmpty()) {
            held.remove().run();
        }
    }

    @Test
    @SuppressWarnings("unchecked")
    void theOldestUpdateOfFeaturesIsAnsweredToo() {
        // Given
        UpdateFeaturesRequestData request = new UpdateFeaturesRequestData().setTimeoutMs(100);
        request.featureUpdates()
                .add(new UpdateFeaturesRequestData.FeatureUpdateKey()
                        .setFeature("metadata.version")
                        .setMaxVersionLevel((short) 33)
                        .setAllowDowngrade(true));
        RecordedAnswer answer = new RecordedAnswer();
        RequestFrame frame = new RequestFrame(ApiKeys.UPDATE_FEATURES, (short) 0, 1, "test", request, 1, 0);
        ((ApiHandler<UpdateFeaturesRequestData>) handlers.handler(ApiKeys.UPDATE_FEATURES, (short) 0, "PLAINTEXT"))
                .handle(request, new RequestContext(frame, new TestConnection(1)), answer);
        // When
        ticker.advance(100);
        // Then
        assertThat(answer.body(UpdateFeaturesResponseData.class).errorCode())
                .isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    }

    @SuppressWarnings("unchecked")
    private RecordedAnswer create(String name, int timeoutMs) {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(timeoutMs);
        request.topics()
                .add(new CreatableTopic().setName(name).setNumPartitions(1).setReplicationFactor((short) 1));
        RecordedAnswer answer = new RecordedAnswer();
        RequestFrame frame = new RequestFrame(ApiKeys.CREATE_TOPICS, (short) 7, 1, "test", request, 1, 0);
        ((ApiHandler<CreateTopicsRequestData>) handlers.handler(ApiKeys.CREATE_TOPICS, (short) 7, "PLAINTEXT"))
                .handle(request, new RequestContext(frame, new TestConnection(1)), answer);
        return answer;
    }

    private static Errors error(RecordedAnswer answer, String topic) {
        return Errors.forCode(
                answer.body(CreateTopicsResponseData.class).topics().find(topic).errorCode());
    }

    @Test
    void isAnsweredWhenThisBrokerHasDoneItsPartOfIt() {
        // Given
        Queue<Runnable> later = new ArrayDeque<>();
        followers = later::add;
        RecordedAnswer answer = create("t", 10_000);
        runHeld();
        assertThat(answer.given()).isFalse();
        // When
        later.remove().run();
        // Then
        assertThat(error(answer, "t")).isEqualTo(Errors.NONE);
        assertThat(ticker.waiting()).isZero();
    }

    @Test
    void isAnsweredThoughThisBrokerTakesLongToDoItsPartOfIt() {
        // Given
        followers = task -> {};
        RecordedAnswer answer = create("t", 10_000);
        runHeld();
        // When
        ticker.advance(5_000);
        // Then
        assertThat(error(answer, "t")).isEqualTo(Errors.NONE);
    }

    @Test
    void isAnsweredAtItsTimeOutAndNotMadeIfItHadNotBeenDecided() {
        // Given
        RecordedAnswer late = create("late", 500);
        RecordedAnswer inTime = create("in-time", 5_000);
        // When
        ticker.advance(500);
        // Then
        assertThat(error(late, "late")).isEqualTo(Errors.REQUEST_TIMED_OUT);
        assertThat(inTime.given()).isFalse();
        // When
        runHeld();
        // Then
        assertThat(error(inTime, "in-time")).isEqualTo(Errors.NONE);
        assertThat(metadata.image().topic("late")).isNull();
        assertThat(ticker.waiting()).isZero();
    }
}
