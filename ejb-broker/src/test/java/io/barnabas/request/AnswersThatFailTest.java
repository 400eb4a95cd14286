package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.port.ListenerSettings;
import io.barnabas.port.Responder;
import io.barnabas.wire.RequestFrame;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** No client waits for ever because its answer could not be given, or because others keep the broker busy. */
class AnswersThatFailTest {
    private static final ListenerSettings NO_LISTENERS = new ListenerSettings(List.of(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);

    private final DataPathFixture broker = new DataPathFixture();
    private final TestConnection connection = broker.connection();

    /** Dispatches a heartbeat that {@code handler} answers, to a responder that cannot take it. */
    private void heartbeat(Consumer<Handled> handler) {
        HandlerRegistry registry = new HandlerRegistry().add(List.of(new ApiHandler<HeartbeatRequestData>() {
            @Override
            public ApiKeys api() {
                return ApiKeys.HEARTBEAT;
            }

            @Override
            public void handle(HeartbeatRequestData request, RequestContext context, Responder responder) {
                handler.accept(new Handled(context, responder));
            }
        }));
        HandlerDispatcher dispatcher = new HandlerDispatcher(
                () -> NO_LISTENERS,
                registry,
                new HandlerDispatcher.Measures(broker.metrics, broker.ticker),
                List.of(),
                () -> {});
        dispatcher.dispatch(
                new RequestFrame(ApiKeys.HEARTBEAT, (short) 4, 1, "c", new HeartbeatRequestData(), 1, 0),
                connection,
                new Unanswerable());
    }

    private record Handled(RequestContext context, Responder responder) {}

    private static final class Unanswerable implements Responder {
        @Override
        public void respond(ApiMessage body) {
            throw new IllegalStateException("a defect of ours");
        }

        @Override
        public void respond(ApiMessage body, short version) {
            respond(body);
        }

        @Override
        public void respondNothing() {}

        @Override
        public void close() {}
    }

    @Test
    void anAnswerThatCannotBeGivenLaterClosesTheConnection() {
        CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
        heartbeat(handled -> GroupResponses.respond(later, handled.context(), handled.responder()));

        later.complete(new HeartbeatResponseData());

        assertThat(connection.closed()).isTrue();
    }

    @Test
    void anErrorThatCannotBeGivenLaterClosesTheConnection() {
        CompletableFuture<HeartbeatResponseData> later = new CompletableFuture<>();
        heartbeat(handled -> ControlPlane.answer(later, handled.context(), handled.responder(), answer -> answer));

        later.completeExceptionally(Errors.NOT_COORDINATOR.exception());

        assertThat(connection.closed()).isTrue();
    }

    @Test
    void anAnswerThatCannotBeGivenAtOnceClosesTheConnection() {
        heartbeat(handled -> handled.responder().respond(new HeartbeatResponseData()));

        assertThat(connection.closed()).isTrue();
    }

    @Test
    void lookUpsInTheLogsThatAreTooManyAreToldToComeAgainAndTheEndsOfALogAreToldAllTheSame() {
        broker.createTopic("t", 1);
        broker.scans = task -> {
            throw new RejectedExecutionException();
        };

        assertThat(offset(0).errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
        assertThat(offset(-3).errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
        assertThat(offset(-1).errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(offset(-2).errorCode()).isEqualTo(Errors.NONE.code());
    }

    @Test
    void anErrorWhileTheLogsAreLookedIntoClosesTheConnectionAndIsTheThreads() {
        // Given
        DataPath path = new DataPath(
                broker.partitions,
                broker.logs,
                broker.metadata.metadata(),
                broker.metrics,
                broker.ticker,
                broker.ticker,
                Runnable::run);
        AtomicReference<Error> seen = new AtomicReference<>();
        Closed closed = new Closed();

        // When
        heartbeat(handled -> {
            try {
                path.answerOnScan(handled.context(), closed, () -> {
                    throw new StackOverflowError();
                });
            } catch (StackOverflowError e) {
                seen.set(e);
            }
        });

        // Then
        assertThat(closed.times).isEqualTo(1);
        assertThat(seen).hasValueMatching(e -> e instanceof StackOverflowError);
    }

    private static final class Closed implements Responder {
        private int times;

        @Override
        public void respond(ApiMessage body) {
            throw new AssertionError("an answer: " + body);
        }

        @Override
        public void respond(ApiMessage body, short version) {
            respond(body);
        }

        @Override
        public void respondNothing() {}

        @Override
        public void close() {
            times++;
        }
    }

    private ListOffsetsResponseData.ListOffsetsPartitionResponse offset(long timestamp) {
        ListOffsetsRequestData request = new ListOffsetsRequestData()
                .setReplicaId(-1)
                .setTopics(List.of(new ListOffsetsTopic()
                        .setName("t")
                        .setPartitions(List.of(new ListOffsetsPartition()
                                .setTimestamp(timestamp)
                                .setCurrentLeaderEpoch(-1)))));
        return broker.send(ApiKeys.LIST_OFFSETS, 7, request)
                .body(ListOffsetsResponseData.class)
                .topics()
                .get(0)
                .partitions()
                .get(0);
    }
}
