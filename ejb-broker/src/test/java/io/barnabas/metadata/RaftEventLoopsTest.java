package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.ServerServiceDefinition;
import org.apache.ratis.thirdparty.io.grpc.stub.ServerCalls;
import org.apache.ratis.thirdparty.io.grpc.stub.StreamObserver;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@NullUnmarked
class RaftEventLoopsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final MethodDescriptor<byte[], byte[]> QUESTION =
            VoterIntroduction.method("barnabas.Voter", "Introduce");

    private final RaftEventLoops network = new RaftEventLoops(null);
    private Server server;

    @AfterEach
    void stop() {
        server.shutdownNow();
        network.close();
    }

    /** A node that answers with so many messages, as one of another release might. */
    private RatisSettings.Voter nodeThatGives(int answers) throws Exception {
        MethodDescriptor<byte[], byte[]> many = QUESTION.toBuilder()
                .setType(MethodDescriptor.MethodType.SERVER_STREAMING)
                .build();
        server = network.server(
                        "127.0.0.1",
                        0,
                        ServerServiceDefinition.builder("barnabas.Voter")
                                .addMethod(
                                        many, ServerCalls.asyncServerStreamingCall((request, to) -> give(answers, to)))
                                .build())
                .start();
        return new RatisSettings.Voter(2, "127.0.0.1", server.getPort(), Uuid.randomUuid());
    }

    private static void give(int answers, StreamObserver<byte[]> to) {
        for (int i = 0; i < answers; i++) {
            to.onNext(new byte[] {7});
        }
        to.onCompleted();
    }

    @Test
    void tellsTheAnswer() throws Exception {
        // Given
        RatisSettings.Voter node = nodeThatGives(1);
        // When
        CompletableFuture<byte[]> answer = network.ask(node, QUESTION, new byte[0], 10_000);
        // Then
        assertThat(answer).succeedsWithin(SOON).isEqualTo(new byte[] {7});
    }

    @Test
    void waitsForNoAnswerThatNeverComes() throws Exception {
        // Given a node that ends the call without one
        RatisSettings.Voter node = nodeThatGives(0);
        // When
        CompletableFuture<byte[]> answer = network.ask(node, QUESTION, new byte[0], 10_000);
        // Then
        assertThat(answer).failsWithin(SOON);
    }
}
