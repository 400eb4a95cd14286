package io.barnabas.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.log.LogSlice;
import io.barnabas.port.ClusterKey;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.PeerConnection;
import io.barnabas.time.SystemClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Brokers that know each other by the cluster's key. */
@Timeout(60)
class SecuredPeersTest {
    private static final short HEARTBEAT = ApiKeys.HEARTBEAT.latestVersion();
    private static final short FETCH = ApiKeys.FETCH.latestVersion();

    /** So few that the server pauses within what it has decrypted. */
    private static final int IN_FLIGHT_MAX = 2;

    private final ExecutorService answers = Executors.newSingleThreadExecutor();
    private final AtomicInteger served = new AtomicInteger();
    private final FakeDispatcher dispatcher = new FakeDispatcher(ofCluster());
    private final SocketServer server = new SocketServer(dispatcher, new SystemClock());
    private final PeerClient client = new PeerClient(new SystemClock(), Runnable::run);

    private static ListenerSettings ofCluster() {
        ListenerSettings s = FakeDispatcher.settings();
        return new ListenerSettings(
                List.of(new ListenerSettings.Listener("INTERNAL", "127.0.0.1", 0, true)),
                s.eventLoopThreads(),
                s.socketRequestMaxBytes(),
                s.connectionsMaxIdleMs(),
                s.maxConnections(),
                s.maxConnectionsPerIp(),
                s.socketSendBufferBytes(),
                s.socketReceiveBufferBytes(),
                s.backlog(),
                IN_FLIGHT_MAX,
                s.queuedMaxBytes());
    }

    private static ClusterKey key(String name) throws Exception {
        return ClusterKey.read(
                Path.of(SecuredPeersTest.class.getResource(name + ".pem").toURI()));
    }

    @BeforeEach
    void start() throws Exception {
        server.secure(key("cluster"));
        server.start();
        dispatcher.answering((request, connection, responder) -> {
            served.incrementAndGet();
            String member = ((HeartbeatRequestData) request.body()).memberId();
            int length = member.length();
            answers.execute(() -> responder.respond(new HeartbeatResponseData().setThrottleTimeMs(length)));
        });
    }

    @AfterEach
    void stop() {
        client.close();
        server.stop();
        answers.shutdownNow();
    }

    private PeerConnection connect() {
        return client.connect("127.0.0.1", server.boundPort("INTERNAL"), "broker-2");
    }

    /** The answer, turned into something that outlives it. */
    private static <T> CompletableFuture<T> send(
            PeerConnection peer, ApiMessage request, short version, Function<ApiMessage, T> reader) {
        CompletableFuture<T> future = new CompletableFuture<>();
        peer.send(request, version, 20_000, new PeerConnection.Answer() {
            @Override
            public void onAnswer(ApiMessage body) {
                future.complete(reader.apply(body));
            }

            @Override
            public void onFailure(RuntimeException cause) {
                future.completeExceptionally(cause);
            }
        });
        return future;
    }

    private static CompletableFuture<Integer> heartbeat(PeerConnection peer, int size) {
        return send(
                peer,
                new HeartbeatRequestData().setGroupId("g").setMemberId("m".repeat(size)),
                HEARTBEAT,
                body -> ((HeartbeatResponseData) body).throttleTimeMs());
    }

    @Test
    void who_has_the_key_is_answered_whatever_the_size_of_the_frames() throws Exception {
        client.secure(key("cluster"));
        PeerConnection peer = connect();
        List<CompletableFuture<Integer>> told = new ArrayList<>();
        int[] sizes = {1, 30_000, 5, 2, 3, 4, 16_384, 6, 7, 8, 29_999, 3, 9, 20_000};
        // When small requests and such as take several TLS records come in one stream
        for (int size : sizes) {
            told.add(heartbeat(peer, size));
        }
        // Then each is read whole, and answered in turn
        assertThat(told.stream().map(CompletableFuture::join))
                .containsExactly(Arrays.stream(sizes).boxed().toArray(Integer[]::new));
    }

    @Test
    void slices_of_the_log_arrive_byte_by_byte(@TempDir Path directory) throws Exception {
        // Given a log
        byte[] log = new byte[3_000_000];
        new Random(1).nextBytes(log);
        Path file = Files.write(directory.resolve("log"), log);
        AtomicInteger given = new AtomicInteger();
        try (FileChannel channel = FileChannel.open(file)) {
            dispatcher.answering((request, connection, responder) -> {
                int size = ((FetchRequestData) request.body()).maxBytes();
                responder.respond(new FetchResponseData()
                        .setResponses(List.of(new FetchableTopicResponse()
                                .setPartitions(List.of(new PartitionData()
                                        .setRecords(new LogSlice(channel, 17, size, given::incrementAndGet)))))));
            });
            client.secure(key("cluster"));
            PeerConnection peer = connect();
            // When slices of it are fetched, small and large ones
            for (int size : new int[] {100, 256 * 1024, 2_900_001}) {
                byte[] read = send(peer, new FetchRequestData().setMaxBytes(size), FETCH, SecuredPeersTest::bytes)
                        .join();
                // Then they are what the log has there
                assertThat(read).isEqualTo(Arrays.copyOfRange(log, 17, 17 + size));
            }
        }
        assertThat(given).hasValue(3);
    }

    private static byte[] bytes(ApiMessage body) {
        PartitionData partition =
                ((FetchResponseData) body).responses().get(0).partitions().get(0);
        ByteBuffer buffer = ((MemoryRecords) partition.records()).buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    @Test
    void who_has_another_key_or_none_is_not_heard() throws Exception {
        // Given one without a key, and one with a key of its own
        CompletableFuture<Integer> open = heartbeat(connect(), 1);
        assertThatThrownBy(open::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(DisconnectException.class);
        client.secure(key("stranger"));
        CompletableFuture<Integer> stranger = heartbeat(connect(), 1);
        assertThatThrownBy(stranger::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(DisconnectException.class);
        // Then nothing of what they sent was read
        assertThat(served).hasValue(0);
    }

    @Test
    void a_listener_of_the_cluster_does_not_open_without_a_key() {
        SocketServer open = new SocketServer(dispatcher, new SystemClock());
        assertThatThrownBy(open::start).isInstanceOf(IOException.class).hasMessageContaining("INTERNAL");
        open.stop();
    }

    @Test
    void a_file_that_is_no_key_is_refused_with_what_it_should_be(@TempDir Path directory) throws Exception {
        Path none = directory.resolve("none.pem");
        assertThatThrownBy(() -> ClusterKey.read(none)).hasMessageContaining("none.pem cannot be read");
        Path words = Files.writeString(directory.resolve("words.pem"), "a key");
        assertThatThrownBy(() -> ClusterKey.read(words))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("words.pem must be a PEM file with a private key");
    }
}
