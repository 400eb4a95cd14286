package io.barnabas.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.barnabas.port.Connection;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.Responder;
import io.barnabas.time.SystemClock;
import io.barnabas.wire.RequestFrame;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopicCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConnectionBoundsTest {
    private static final byte[] PING =
            RawClient.frame(ApiKeys.API_VERSIONS, (short) 3, 0, new ApiVersionsRequestData());

    private final List<SocketServer> servers = new ArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(SocketServer::stop);
        assertThat(servers).allSatisfy(server -> await().until(() -> server.buffersInUseBytes() == 0));
    }

    private SocketServer serve(ListenerSettings settings, SocketBounds bounds, FakeDispatcher.Handler handler)
            throws Exception {
        SocketServer server =
                new SocketServer(new FakeDispatcher(settings).answering(handler), new SystemClock(), bounds);
        servers.add(server);
        server.start();
        return server;
    }

    private static ListenerSettings settings(int maxFrame, long idleMs, int inFlight, long queuedMaxBytes) {
        return new ListenerSettings(
                FakeDispatcher.settings().listeners(),
                2,
                maxFrame,
                idleMs,
                Integer.MAX_VALUE,
                Integer.MAX_VALUE,
                -1,
                -1,
                1000,
                inFlight,
                queuedMaxBytes);
    }

    private static ListenerSettings limited(int connections, int perIp) {
        ListenerSettings s = FakeDispatcher.settings();
        return new ListenerSettings(
                s.listeners(), 2, s.socketRequestMaxBytes(), -1, connections, perIp, -1, -1, 1000, 100, -1);
    }

    private static RawClient connect(SocketServer server) throws Exception {
        return new RawClient(server.boundPort("PLAINTEXT"));
    }

    private static byte[] ping(int correlationId) {
        byte[] frame = PING.clone();
        ByteBuffer.wrap(frame).putInt(8, correlationId);
        return frame;
    }

    private static byte[] length(int length) {
        return ByteBuffer.allocate(4).putInt(length).array();
    }

    private static void assertServes(SocketServer server) throws Exception {
        try (RawClient client = connect(server)) {
            client.send(ping(77));
            assertThat(client.receive().getInt()).isEqualTo(77);
        }
    }

    @Test
    void a_negative_or_oversized_length_closes_the_connection() throws Exception {
        SocketServer server =
                serve(settings(10_000, -1, 100, -1), SocketBounds.defaults(), FakeDispatcher.DEFAULT_ANSWER);
        for (int length : new int[] {-1, Integer.MIN_VALUE, 10_001, Integer.MAX_VALUE}) {
            try (RawClient client = connect(server)) {
                client.send(length(length));
                assertThat(client.closedByServer()).isTrue();
            }
        }
        assertServes(server);
    }

    @Test
    void an_idle_connection_is_closed_and_a_busy_one_is_not() throws Exception {
        SocketServer server =
                serve(settings(10_000, 300, 100, -1), SocketBounds.defaults(), FakeDispatcher.DEFAULT_ANSWER);
        try (RawClient idle = connect(server);
                RawClient busy = connect(server)) {
            await().pollInterval(java.time.Duration.ofMillis(20)).until(() -> {
                busy.send(ping(1));
                busy.receive();
                return server.openConnections() == 1;
            });
            assertThat(idle.closedByServer()).isTrue();
        }
    }

    @Test
    void a_connection_that_waits_for_our_answer_is_not_idle() throws Exception {
        Queue<Responder> waiting = new ConcurrentLinkedQueue<>();
        SocketServer server = serve(
                settings(10_000, 100, 100, -1),
                SocketBounds.defaults(),
                (request, connection, responder) -> waiting.add(responder));
        try (RawClient client = connect(server);
                RawClient idle = connect(server)) {
            client.send(ping(3));
            assertThat(idle.closedByServer()).isTrue();
            waiting.remove().respond(new org.apache.kafka.common.message.ApiVersionsResponseData());
            assertThat(client.receive().getInt()).isEqualTo(3);
        }
    }

    @Test
    void a_frame_that_is_sent_too_slowly_closes_its_connection() throws Exception {
        SocketServer server = serve(
                settings(10_000, -1, 100, -1),
                new SocketBounds(200, 1 << 20, 1 << 18, 1000),
                FakeDispatcher.DEFAULT_ANSWER);
        try (RawClient slow = connect(server);
                RawClient lengthOnly = connect(server)) {
            lengthOnly.send(PING, 0, 3);
            slow.send(PING, 0, 10);
            assertThat(slow.closedByServer()).isTrue();
            assertThat(lengthOnly.closedByServer()).isTrue();
        }
        assertServes(server);
    }

    @Test
    void connections_beyond_a_limit_are_refused_until_one_closes() throws Exception {
        for (ListenerSettings settings : List.of(limited(3, 100), limited(100, 3))) {
            SocketServer server = serve(settings, SocketBounds.defaults(), FakeDispatcher.DEFAULT_ANSWER);
            List<RawClient> open = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                open.add(connect(server));
                open.get(i).send(ping(i));
                open.get(i).receive();
            }
            try (RawClient refused = connect(server)) {
                assertThat(refused.closedByServer()).isTrue();
            }
            open.remove(0).close();
            await().until(() -> server.openConnections() == 2);
            assertServes(server);
            for (RawClient client : open) {
                client.close();
            }
        }
    }

    @Test
    void answers_leave_in_request_order_whatever_the_order_of_completion() throws Exception {
        Queue<Responder> waiting = new ConcurrentLinkedQueue<>();
        SocketServer server = serve(
                settings(10_000, -1, 100, -1),
                SocketBounds.defaults(),
                (request, connection, responder) -> waiting.add(responder));
        Random random = new Random(42);
        try (RawClient client = connect(server)) {
            for (int round = 0; round < 50; round++) {
                for (int i = 0; i < 20; i++) {
                    client.send(ping(round * 20 + i));
                }
                await().pollInterval(java.time.Duration.ofMillis(2)).until(() -> waiting.size() == 20);
                List<Responder> shuffled = new ArrayList<>(waiting);
                waiting.clear();
                Collections.shuffle(shuffled, random);
                Responder silent = shuffled.remove(0);
                shuffled.parallelStream()
                        .forEach(responder ->
                                responder.respond(new org.apache.kafka.common.message.ApiVersionsResponseData()));
                silent.respondNothing();
                int last = -1;
                for (int i = 0; i < 19; i++) {
                    int correlationId = client.receive().getInt();
                    assertThat(correlationId).isGreaterThan(last);
                    last = correlationId;
                }
            }
        }
    }

    @Test
    void no_more_requests_are_taken_than_may_be_in_flight() throws Exception {
        LinkedBlockingQueue<Responder> waiting = new LinkedBlockingQueue<>();
        AtomicInteger taken = new AtomicInteger();
        SocketServer server =
                serve(settings(10_000, -1, 5, -1), SocketBounds.defaults(), (request, connection, responder) -> {
                    taken.incrementAndGet();
                    waiting.add(responder);
                });
        try (RawClient client = connect(server)) {
            for (int i = 0; i < 200; i++) {
                client.send(ping(i));
            }
            for (int i = 0; i < 200; i++) {
                Responder next = waiting.take();
                assertThat(taken.get()).isLessThanOrEqualTo(i + 5);
                next.respond(new org.apache.kafka.common.message.ApiVersionsResponseData());
                assertThat(client.receive().getInt()).isEqualTo(i);
            }
        }
    }

    @Test
    void one_request_in_flight_answered_at_once_does_not_stall_the_pipeline() throws Exception {
        SocketServer server =
                serve(settings(10_000, -1, 1, -1), SocketBounds.defaults(), FakeDispatcher.DEFAULT_ANSWER);
        try (RawClient client = connect(server)) {
            ByteBuffer all = ByteBuffer.allocate(PING.length * 500);
            for (int i = 0; i < 500; i++) {
                all.put(ping(i));
            }
            client.send(all.array());
            for (int i = 0; i < 500; i++) {
                assertThat(client.receive().getInt()).isEqualTo(i);
            }
        }
    }

    @Test
    void a_client_that_does_not_read_its_answers_costs_bounded_memory() throws Exception {
        AtomicInteger taken = new AtomicInteger();
        MetadataResponseTopicCollection topics = new MetadataResponseTopicCollection();
        topics.add(new MetadataResponseTopic().setName("t".repeat(30_000)));
        FakeDispatcher.Handler handler = (RequestFrame request, Connection connection, Responder responder) -> {
            taken.incrementAndGet();
            responder.respond(new MetadataResponseData().setTopics(topics));
        };
        SocketServer server = serve(settings(10_000, -1, 100, -1), SocketBounds.defaults(), handler);
        byte[] request = RawClient.frame(ApiKeys.METADATA, (short) 9, 1, new MetadataRequestData());
        int requests = 2000; // 60 MB of answers
        try (RawClient client = connect(server)) {
            for (int i = 0; i < requests; i++) {
                client.send(request);
            }
            await().during(java.time.Duration.ofMillis(300))
                    .atMost(java.time.Duration.ofSeconds(10))
                    .until(() -> {
                        int now = taken.get();
                        return server.buffersInUseBytes() < (8L << 20) && now > 0 && now < requests;
                    });
            for (int i = 0; i < requests; i++) {
                assertThat(client.receive().remaining()).isGreaterThan(30_000);
            }
        }
    }

    @Test
    void unfinished_frames_of_all_connections_stay_within_the_bound_and_are_served_in_turn() throws Exception {
        int frameBytes = 1 << 20;
        long bound = 3L << 20;
        ListenerSettings settings = settings(frameBytes + 100, -1, 100, bound);
        SocketServer server = serve(settings, SocketBounds.defaults(), FakeDispatcher.DEFAULT_ANSWER);
        byte[] big = RawClient.frame(
                ApiKeys.SASL_AUTHENTICATE,
                (short) 2,
                9,
                new org.apache.kafka.common.message.SaslAuthenticateRequestData().setAuthBytes(new byte[frameBytes]));
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            RawClient client = connect(server);
            clients.add(client);
            client.send(big, 0, 3000);
        }
        await().until(() -> server.openConnections() == 20);
        await().during(java.time.Duration.ofMillis(200))
                .until(() -> server.buffersInUseBytes() <= bound + frameBytes + 20 * 8192);
        assertServes(server);
        for (RawClient client : clients) {
            Thread rest = new Thread(() -> {
                try {
                    client.send(big, 3000, big.length - 3000);
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            rest.start();
        }
        for (RawClient client : clients) {
            assertThat(client.receive().getInt()).isEqualTo(9);
            client.close();
        }
    }

    @Test
    void a_connection_whose_requests_keep_as_much_as_is_allowed_is_read_when_they_have_given_it_back()
            throws Exception {
        Queue<Runnable> kept = new ConcurrentLinkedQueue<>();
        SocketServer server = serve(
                settings(10_000, -1, 100, 3L << 20), SocketBounds.defaults(), (request, connection, responder) -> {
                    kept.add(connection.keep(1 << 20));
                    responder.respond(new org.apache.kafka.common.message.ApiVersionsResponseData());
                });
        try (RawClient client = connect(server)) {
            for (int i = 0; i < 10; i++) {
                client.send(ping(i));
            }
            int answered = 0;
            while (answered < 10) {
                int until = Math.min(10, answered + 3);
                for (; answered < until; answered++) {
                    assertThat(client.receive().getInt()).isEqualTo(answered);
                }
                int keeping = until % 3 == 0 ? 3 : 1;
                await().during(java.time.Duration.ofMillis(100)).until(() -> kept.size() == keeping);
                assertServes(server); // others are read, one frame each
                List<Runnable> held = new ArrayList<>(kept);
                kept.clear();
                Collections.reverse(held); // its own last: with them it is read again
                held.forEach(Runnable::run);
            }
        }
    }

    @Test
    void what_requests_of_a_closed_connection_kept_is_given_back() throws Exception {
        Queue<Runnable> kept = new ConcurrentLinkedQueue<>();
        SocketServer server = serve(
                settings(10_000, -1, 100, 1L << 20), SocketBounds.defaults(), (request, connection, responder) -> {
                    if (request.correlationId() == 1) {
                        kept.add(connection.keep(1 << 20));
                        connection.close();
                    } else {
                        FakeDispatcher.DEFAULT_ANSWER.handle(request, connection, responder);
                    }
                });
        try (RawClient gone = connect(server);
                RawClient client = connect(server)) {
            gone.send(ping(1));
            assertThat(gone.closedByServer()).isTrue();
            byte[] frame = ping(2);
            client.send(frame, 0, 10); // there is no room for its rest
            await().until(() -> server.buffersInUseBytes() > 0);
            client.send(frame, 10, frame.length - 10);
            kept.remove().run();
            assertThat(client.receive().getInt()).isEqualTo(2);
        }
    }

    @Test
    void five_thousand_idle_connections_are_held() throws Exception {
        long limit = ((com.sun.management.UnixOperatingSystemMXBean)
                        java.lang.management.ManagementFactory.getOperatingSystemMXBean())
                .getMaxFileDescriptorCount();
        org.junit.jupiter.api.Assumptions.assumeTrue(
                limit > 10_500, "needs 10,500 file descriptors for both ends; the limit is " + limit);
        SocketServer server = serve(FakeDispatcher.settings(), SocketBounds.defaults(), FakeDispatcher.DEFAULT_ANSWER);
        List<java.nio.channels.SocketChannel> held = new ArrayList<>();
        try {
            for (int i = 0; i < 5000; i++) {
                held.add(java.nio.channels.SocketChannel.open(new java.net.InetSocketAddress(
                        java.net.InetAddress.getLoopbackAddress(), server.boundPort("PLAINTEXT"))));
            }
            await().until(() -> server.openConnections() == 5000);
            assertThat(server.buffersInUseBytes()).isZero();
            assertServes(server);
        } finally {
            for (java.nio.channels.SocketChannel channel : held) {
                channel.close();
            }
        }
    }

    @Test
    void a_stop_lets_what_is_in_flight_be_answered() throws Exception {
        Queue<Responder> waiting = new ConcurrentLinkedQueue<>();
        SocketServer server = serve(
                settings(10_000, -1, 5, -1),
                SocketBounds.defaults(),
                (request, connection, responder) -> waiting.add(responder));
        try (RawClient client = connect(server)) {
            client.send(ping(8));
            await().until(() -> !waiting.isEmpty());
            Thread stopping = new Thread(server::stop);
            stopping.start();
            await().until(() -> server.boundPort("PLAINTEXT") == -1);
            waiting.remove().respond(new org.apache.kafka.common.message.ApiVersionsResponseData());
            assertThat(client.receive().getInt()).isEqualTo(8);
            assertThat(client.closedByServer()).isTrue();
            stopping.join();
        }
    }
}
