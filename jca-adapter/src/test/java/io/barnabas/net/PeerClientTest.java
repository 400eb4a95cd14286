package io.barnabas.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.barnabas.port.Connection;
import io.barnabas.port.ConnectionRefusedException;
import io.barnabas.port.PeerConnection;
import io.barnabas.port.Responder;
import io.barnabas.time.SystemClock;
import io.barnabas.wire.RequestFrame;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeerClientTest {
    private static final short HEARTBEAT = ApiKeys.HEARTBEAT.latestVersion();
    private static final short FETCH = ApiKeys.FETCH.latestVersion();

    private static final PeerBounds BOUNDS = new PeerBounds(1, 1_000, 8 << 20, 10, 4_000, 16 << 20);

    // one for all: event loops take their time to end
    private static final FakeDispatcher dispatcher = new FakeDispatcher(FakeDispatcher.settings());
    private static final SocketServer server = new SocketServer(dispatcher, new SystemClock());
    private static final ExecutorService lookups = Executors.newSingleThreadExecutor();
    private static final PeerClient client = new PeerClient(new SystemClock(), lookups, BOUNDS);

    @BeforeAll
    static void start() throws Exception {
        server.start();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.stop();
        lookups.shutdownNow();
    }

    private PeerConnection connect() {
        return client.connect("127.0.0.1", server.boundPort("PLAINTEXT"), "broker-2");
    }

    /** Collects what is told; answers are turned into what a test wants of them while they are valid. */
    private static final class Told implements PeerConnection.Answer {
        private final CompletableFuture<ApiMessage> future = new CompletableFuture<>();
        private final AtomicInteger times = new AtomicInteger();

        @Override
        public void onAnswer(ApiMessage body) {
            times.incrementAndGet();
            future.complete(body);
        }

        @Override
        public void onFailure(RuntimeException cause) {
            times.incrementAndGet();
            future.completeExceptionally(cause);
        }
    }

    private static Told heartbeat(PeerConnection peer, String member, int timeoutMs) {
        Told told = new Told();
        peer.send(new HeartbeatRequestData().setGroupId("g").setMemberId(member), HEARTBEAT, timeoutMs, told);
        return told;
    }

    private static void echo(RequestFrame request, Connection connection, Responder responder) {
        String member = ((HeartbeatRequestData) request.body()).memberId();
        responder.respond(new HeartbeatResponseData().setThrottleTimeMs(Integer.parseInt(member)));
    }

    @Test
    void requests_sent_before_the_connection_stands_are_answered_in_their_order() {
        // Given a server that answers, later than they came and in turn
        dispatcher.answering(PeerClientTest::echo);
        // When several requests are sent at once
        PeerConnection peer = connect();
        List<Told> told = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            told.add(heartbeat(peer, Integer.toString(i), 10_000));
        }
        // Then each has its own answer
        for (int i = 0; i < 10; i++) {
            assertThat(((HeartbeatResponseData) told.get(i).future.join()).throttleTimeMs())
                    .isEqualTo(i);
        }
        assertThat(peer.isOpen()).isTrue();
    }

    @Test
    void a_part_of_an_answer_is_heard() throws Exception {
        try (ServerSocket slow = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            // Given a connection that was not answered yet
            PeerConnection peer = client.connect("127.0.0.1", slow.getLocalPort(), "broker-2");
            heartbeat(peer, "m", 60_000);
            try (Socket accepted = slow.accept()) {
                assertThat(peer.hasHeardWithin(60_000)).isFalse();
                // When a part of an answer comes
                accepted.getOutputStream().write(new byte[] {0, 0, 1, 0, 7});
                // Then
                await().untilAsserted(
                                () -> assertThat(peer.hasHeardWithin(60_000)).isTrue());
                assertThat(peer.hasHeardWithin(0)).isFalse();
            }
        }
    }

    @Test
    void a_name_is_looked_up_and_the_client_id_is_told() {
        Queue<String> names = new ConcurrentLinkedQueue<>();
        dispatcher.answering((request, connection, responder) -> {
            names.add(String.valueOf(request.clientId()));
            responder.respond(FakeDispatcher.answerTo(request));
        });
        PeerConnection peer = client.connect("localhost", server.boundPort("PLAINTEXT"), "broker-2");
        heartbeat(peer, "m", 10_000).future.join();
        assertThat(names).containsExactly("broker-2");
    }

    @Test
    void records_of_an_answer_are_read_where_they_were_received() {
        // Given answers with records, small ones and one beyond every buffer that stands ready
        List<Integer> sizes = List.of(10, 5_000, 3_000_000);
        dispatcher.answering((request, connection, responder) -> {
            int size = ((FetchRequestData) request.body()).maxBytes();
            MemoryRecords records = MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(new byte[size]));
            responder.respond(new FetchResponseData()
                    .setResponses(List.of(new FetchableTopicResponse()
                            .setPartitions(List.of(new PartitionData().setRecords(records))))));
        });
        PeerConnection peer = connect();
        for (int size : sizes) {
            CompletableFuture<List<Object>> seen = new CompletableFuture<>();
            peer.send(new FetchRequestData().setMaxBytes(size), FETCH, 10_000, new PeerConnection.Answer() {
                @Override
                public void onAnswer(ApiMessage body) {
                    PartitionData partition = ((FetchResponseData) body)
                            .responses()
                            .get(0)
                            .partitions()
                            .get(0);
                    MemoryRecords records = (MemoryRecords) partition.records();
                    ByteBuffer value = records.records().iterator().next().value();
                    seen.complete(List.of(records.buffer().isDirect(), value.remaining()));
                }

                @Override
                public void onFailure(RuntimeException cause) {
                    seen.completeExceptionally(cause);
                }
            });
            // Then they are views of a direct buffer
            assertThat(seen.join()).containsExactly(true, size);
        }
        // And nothing of it is held on to
        await().untilAsserted(() -> assertThat(client.buffersInUseBytes()).isZero());
    }

    @Test
    void an_answer_may_send_the_next_request_from_where_it_is_taken() {
        dispatcher.answering(PeerClientTest::echo);
        PeerConnection peer = connect();
        CompletableFuture<Integer> done = new CompletableFuture<>();
        new PeerConnection.Answer() {
            private void next(int i) {
                peer.send(
                        new HeartbeatRequestData().setGroupId("g").setMemberId(Integer.toString(i)),
                        HEARTBEAT,
                        10_000,
                        this);
            }

            @Override
            public void onAnswer(ApiMessage body) {
                int i = ((HeartbeatResponseData) body).throttleTimeMs();
                if (i == 1_000) {
                    done.complete(i);
                } else {
                    next(i + 1);
                }
            }

            @Override
            public void onFailure(RuntimeException cause) {
                done.completeExceptionally(cause);
            }
        }.next(0);
        assertThat(done.join()).isEqualTo(1_000);
    }

    @Test
    void without_an_answer_in_time_the_connection_is_closed_and_all_that_waits_fails_once() {
        // Given a server that answers nothing
        int closed = dispatcher.closedConnections.get();
        dispatcher.answering((request, connection, responder) -> {});
        PeerConnection peer = connect();
        Told patient = heartbeat(peer, "1", 30_000);
        Told hasty = heartbeat(peer, "2", 200);
        // Then both fail when the time of the hasty one is over
        assertThatThrownBy(hasty.future::join).hasCauseInstanceOf(TimeoutException.class);
        assertThatThrownBy(patient.future::join).hasCauseInstanceOf(TimeoutException.class);
        assertThat(peer.isOpen()).isFalse();
        await().untilAsserted(() -> assertThat(dispatcher.closedConnections).hasValue(closed + 1));
        // And what is sent later fails at once
        assertThatThrownBy(heartbeat(peer, "3", 30_000).future::join).hasCauseInstanceOf(DisconnectException.class);
        assertThat(patient.times).hasValue(1);
    }

    @Test
    void a_connection_that_is_refused_or_lost_fails_what_waits() throws Exception {
        // Given nobody who listens there
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        PeerConnection refused = client.connect("127.0.0.1", port, "broker-2");
        assertThatThrownBy(heartbeat(refused, "1", 30_000).future::join)
                .hasCauseInstanceOf(ConnectionRefusedException.class);
        assertThat(refused.isOpen()).isFalse();
        // And a server that closes instead of answering
        dispatcher.answering((request, connection, responder) -> responder.close());
        PeerConnection lost = connect();
        assertThatThrownBy(heartbeat(lost, "1", 30_000).future::join)
                .hasCauseExactlyInstanceOf(DisconnectException.class);
        assertThat(lost.isOpen()).isFalse();
        // And a name that nobody has
        PeerConnection unknown = client.connect("no-such-host.invalid", port, "broker-2");
        assertThatThrownBy(heartbeat(unknown, "1", 30_000).future::join).hasCauseInstanceOf(DisconnectException.class);
    }

    @Test
    void what_is_in_flight_has_a_bound_and_the_connection_stays() {
        // Given as many requests in flight as may be
        Queue<Responder> held = new ConcurrentLinkedQueue<>();
        dispatcher.answering((request, connection, responder) -> held.add(responder));
        PeerConnection peer = connect();
        List<Told> told = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            told.add(heartbeat(peer, Integer.toString(i), 30_000));
        }
        // Then one more is refused
        assertThatThrownBy(heartbeat(peer, "10", 30_000).future::join).hasCauseInstanceOf(TimeoutException.class);
        // And the others are answered
        await().until(() -> held.size() == 10);
        held.forEach(responder -> responder.respond(new HeartbeatResponseData()));
        told.forEach(each -> each.future.join());
        assertThat(peer.isOpen()).isTrue();
        // And bytes have a bound, too, that one request alone may pass
        held.clear();
        Told large = heartbeat(peer, "m".repeat(5_000), 30_000);
        assertThatThrownBy(heartbeat(peer, "1", 30_000).future::join).hasCauseInstanceOf(TimeoutException.class);
        await().until(() -> held.size() == 1);
        held.forEach(responder -> responder.respond(new HeartbeatResponseData()));
        large.future.join();
    }

    @Test
    void bytes_that_are_no_answer_close_the_connection() throws Exception {
        // Given somebody who sends an answer to another request, or a frame beyond the bound
        for (byte[] sent : List.of(new byte[] {0, 0, 0, 4, 0, 0, 0, 99}, new byte[] {0x7f, 0, 0, 0})) {
            try (ServerSocket stranger = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
                PeerConnection peer = client.connect("127.0.0.1", stranger.getLocalPort(), "broker-2");
                Told told = heartbeat(peer, "1", 30_000);
                try (Socket accepted = stranger.accept()) {
                    accepted.getOutputStream().write(sent);
                    accepted.getOutputStream().flush();
                    assertThatThrownBy(told.future::join).hasCauseInstanceOf(DisconnectException.class);
                    assertThat(peer.isOpen()).isFalse();
                    assertThat(readAll(accepted)).isTrue();
                }
            }
        }
    }

    private static boolean readAll(Socket accepted) {
        try {
            accepted.getInputStream().readAllBytes();
            return true;
        } catch (IOException e) {
            return true; // reset
        }
    }

    @Test
    void an_answer_that_throws_closes_its_connection_alone() {
        dispatcher.answering(PeerClientTest::echo);
        PeerConnection other = connect();
        PeerConnection peer = connect();
        peer.send(
                new HeartbeatRequestData().setGroupId("g").setMemberId("1"),
                HEARTBEAT,
                10_000,
                new PeerConnection.Answer() {
                    @Override
                    public void onAnswer(ApiMessage body) {
                        throw new IllegalStateException("thrown on purpose");
                    }

                    @Override
                    public void onFailure(RuntimeException cause) {}
                });
        Told next = heartbeat(peer, "2", 10_000);
        assertThatThrownBy(next.future::join).hasCauseInstanceOf(DisconnectException.class);
        heartbeat(other, "3", 10_000).future.join();
    }

    @Test
    void closing_the_client_fails_what_waits_and_leaves_no_thread() {
        dispatcher.answering((request, connection, responder) -> {});
        PeerClient other = new PeerClient(new SystemClock(), lookups, BOUNDS);
        PeerConnection peer = other.connect("127.0.0.1", server.boundPort("PLAINTEXT"), "broker-2");
        Told told = heartbeat(peer, "1", 30_000);
        long threads = threads();
        other.close();
        assertThatThrownBy(told.future::join).hasCauseInstanceOf(DisconnectException.class);
        assertThatThrownBy(heartbeat(peer, "2", 30_000).future::join).hasCauseInstanceOf(DisconnectException.class);
        assertThatThrownBy(() -> other.connect("127.0.0.1", 1, "broker-2")).isInstanceOf(IllegalStateException.class);
        await().atMost(Duration.ofSeconds(10)).until(() -> threads() == threads - 1);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("barnabas-peer"))
                .count();
    }
}
