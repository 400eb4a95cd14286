package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.net.RawClient;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that send nothing, half a request, or never read: they cost little, hinder nobody, and are let go by their limits. */
class SlowClientsTest {
    private static final int IDLE_MS = 4_000;
    private static final int DEAF_CLIENTS = 20;

    /** What the clients that never read may add to the resident memory of the process, all together. */
    private static final long MEMORY_BOUND = 384L << 20;

    @TempDir
    static Path dir;

    static BarnabasProcess broker;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(dir.resolve("data"), Map.of("connections.max.idle.ms", "" + IDLE_MS));
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void who_sends_nothing_or_half_a_request_is_let_go() throws Exception {
        byte[] request = RawClient.frame(ApiKeys.METADATA, (short) 12, 1, new MetadataRequestData());
        try (RawClient idle = client();
                RawClient half = client();
                RawClient busy = client()) {
            half.send(request, 0, request.length / 2);
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2 * IDLE_MS);
            Awaitility.await()
                    .pollInterval(Duration.ofMillis(IDLE_MS / 8))
                    .atMost(Duration.ofMillis(4 * IDLE_MS))
                    .until(() -> {
                        busy.send(request);
                        assertThat(busy.receive().remaining()).isPositive();
                        return System.nanoTime() > until;
                    });
            assertThat(idle.closedByServer()).isTrue();
            assertThat(half.closedByServer()).isTrue();
        }
    }

    @Test
    void who_never_reads_is_read_no_further_then_let_go_and_costs_bounded_memory() throws Exception {
        byte[] request = RawClient.frame(ApiKeys.DESCRIBE_CONFIGS, (short) 4, 1, allSettings());
        long before = broker.residentBytes();
        List<RawClient> deaf = new ArrayList<>();
        try {
            List<Thread> senders = new ArrayList<>();
            for (int i = 0; i < DEAF_CLIENTS; i++) {
                RawClient client = client();
                deaf.add(client);
                Thread sender = new Thread(() -> sendUntilClosed(client, request), "deaf-" + i);
                sender.setDaemon(true);
                sender.start();
                senders.add(sender);
            }
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
                Awaitility.await("those who never read are let go")
                        .atMost(Duration.ofMillis(8 * IDLE_MS))
                        .until(() -> {
                            admin.describeCluster().nodes().get(10, TimeUnit.SECONDS);
                            assertThat(broker.residentBytes() - before).isLessThan(MEMORY_BOUND);
                            return senders.stream().noneMatch(Thread::isAlive);
                        });
            }
        } finally {
            for (RawClient client : deaf) {
                client.close();
            }
        }
    }

    /** Every setting of the broker with its documentation: a short request with a long answer. */
    private static DescribeConfigsRequestData allSettings() {
        return new DescribeConfigsRequestData()
                .setIncludeDocumentation(true)
                .setIncludeSynonyms(true)
                .setResources(List.of(new DescribeConfigsResource()
                        .setResourceType(ConfigResource.Type.BROKER.id())
                        .setResourceName("1")
                        .setConfigurationKeys(null)));
    }

    private static void sendUntilClosed(RawClient client, byte[] request) {
        try {
            while (true) {
                client.send(request);
            }
        } catch (IOException closedByTheBroker) {
            assertThat(closedByTheBroker).isInstanceOf(SocketException.class);
        }
    }

    private static RawClient client() throws IOException {
        return new RawClient(broker.kafkaPort());
    }
}
