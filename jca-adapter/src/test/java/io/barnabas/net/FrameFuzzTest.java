package io.barnabas.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.barnabas.time.SystemClock;
import io.barnabas.wire.RandomMessages;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetector.Level;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Bad requests of every API and version, by seed ({@code -Dfuzz.seed}): each connection is answered or closed, another one keeps
 * working, direct memory stays below 64 MB and heap below 128 MB over the start, and no buffer leaks.
 */
class FrameFuzzTest {
    private static final long SEED = Long.getLong("fuzz.seed", 20261122L);
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 2);
    private static final long DIRECT_MAX = 64L << 20;
    private static final long HEAP_MAX = 128L << 20;
    private static final AtomicInteger LEAKS = new AtomicInteger();
    private static final Handler LEAK_LISTENER = new Handler() {
        @Override
        public void publish(LogRecord line) {
            LEAKS.incrementAndGet();
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };
    private static final Logger LEAK_LOG = Logger.getLogger(ResourceLeakDetector.class.getName());
    private static Level levelBefore = ResourceLeakDetector.getLevel();

    private final Random random = new Random(SEED);
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();

    @BeforeAll
    static void watchForLeaks() {
        levelBefore = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(Level.PARANOID);
        LEAK_LOG.addHandler(LEAK_LISTENER);
    }

    @AfterAll
    static void watchNoMore() {
        ResourceLeakDetector.setLevel(levelBefore);
        LEAK_LOG.removeHandler(LEAK_LISTENER);
    }

    @Test
    void bad_requests_of_every_api_and_version_are_answered_or_close_their_own_connection_only() throws Exception {
        SocketServer server = new SocketServer(
                new FakeDispatcher(FakeDispatcher.settings()),
                new SystemClock(),
                new SocketBounds(60_000, 1 << 20, 1 << 18, 1000));
        server.start();
        long heapBefore = usedHeap();
        long directMax = 0;
        try (RawClient bystander = new RawClient(server.boundPort("PLAINTEXT"))) {
            for (ApiKeys api : ApiKeys.values()) {
                if (api.hasValidVersion()) {
                    for (short version : api.allVersions()) {
                        for (int round = 0; round < ROUNDS; round++) {
                            mutations(api, version).forEach(bytes -> offer(server, api, version, bytes));
                        }
                        directMax = Math.max(directMax, server.buffersInUseBytes());
                    }
                    bystander.send(
                            RawClient.frame(ApiKeys.API_VERSIONS, (short) 3, api.id, new ApiVersionsRequestData()));
                    assertThat(bystander.receive().getInt()).isEqualTo(api.id);
                }
            }
        }
        await().until(() -> server.openConnections() == 0);
        assertThat(directMax).isLessThan(DIRECT_MAX);
        assertThat(server.buffersInUseBytes()).isZero();
        server.stop();
        assertThat(usedHeap() - heapBefore).isLessThan(HEAP_MAX);
        assertThat(LEAKS).hasValue(0);
        assertThat(answered.get()).isPositive();
        assertThat(closed.get()).isPositive();
    }

    private List<byte[]> mutations(ApiKeys api, short version) {
        ApiMessage body = api.messageType.newRequest();
        body.read(
                new ByteBufferAccessor(new RandomMessages(random.nextLong())
                        .bytes(api.messageType.requestSchemas()[version])),
                version);
        byte[] whole = RawClient.frame(api, version, random.nextInt(), body);
        List<byte[]> all = new ArrayList<>();
        all.add(whole);
        all.add(truncated(whole));
        all.add(lengthened(whole));
        all.add(bitFlipped(whole));
        all.add(bitFlipped(whole));
        all.add(overwritten(whole, -1));
        all.add(overwritten(whole, Integer.MAX_VALUE));
        all.add(overwritten(whole, 1 + random.nextInt(1 << 24)));
        all.add(randomBody(whole));
        return all;
    }

    private static byte[] withLength(byte[] frame) {
        ByteBuffer.wrap(frame).putInt(0, frame.length - 4);
        return frame;
    }

    private byte[] truncated(byte[] whole) {
        return withLength(Arrays.copyOf(whole, 4 + random.nextInt(whole.length - 4)));
    }

    private byte[] lengthened(byte[] whole) {
        return withLength(Arrays.copyOf(whole, whole.length + 1 + random.nextInt(200)));
    }

    private byte[] bitFlipped(byte[] whole) {
        byte[] flipped = whole.clone();
        for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
            flipped[8 + random.nextInt(whole.length - 8)] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
    }

    /** Puts a number where a length may be. */
    private byte[] overwritten(byte[] whole, int number) {
        byte[] wrong = whole.length < 16 ? Arrays.copyOf(whole, 16) : whole.clone();
        ByteBuffer.wrap(wrong).putInt(12 + random.nextInt(wrong.length - 15), number);
        return withLength(wrong);
    }

    private byte[] randomBody(byte[] whole) {
        byte[] noise = new byte[8 + random.nextInt(2000)];
        random.nextBytes(noise);
        System.arraycopy(whole, 0, noise, 0, 8);
        return withLength(noise);
    }

    private void offer(SocketServer server, ApiKeys api, short version, byte[] bytes) {
        try (RawClient client = new RawClient(server.boundPort("PLAINTEXT"))) {
            client.send(bytes);
            if (client.closedByServer()) {
                closed.incrementAndGet();
            } else {
                answered.incrementAndGet();
            }
        } catch (IOException e) {
            throw new AssertionError("neither answered nor closed: seed " + SEED + " " + api + " " + version, e);
        }
    }

    private static long usedHeap() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
