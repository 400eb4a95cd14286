package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Node;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that is reached by IPv6, and still by nobody else than asked for. */
class Ipv6Test {
    @Test
    void listeners_of_both_kinds_are_opened_on_loopback_alone(@TempDir Path dir) throws Exception {
        assumeTrue(hasLoopback(), "this machine has no IPv6 loopback address (::1)");
        int six = BarnabasProcess.freePort();
        int four = BarnabasProcess.freePort();
        Map<String, String> settings = Map.of(
                "listeners", "SIX://[::1]:" + six + ",FOUR://127.0.0.1:" + four,
                "listener.security.protocol.map", "SIX:PLAINTEXT,FOUR:PLAINTEXT",
                "barnabas.http.host", "::1");
        try (BarnabasProcess broker = BarnabasProcess.launched(dir.resolve("data"), "ipv6", settings)) {
            broker.awaitWord();
            // Then clients of both kinds are served, each by the address it came to
            serves("[::1]:" + six, "[::1]", six, "by-six");
            serves("127.0.0.1:" + four, "127.0.0.1", four, "by-four");
            // And so is the console, and the operator is told
            String console = broker.http().replace("127.0.0.1", "[::1]");
            HttpResponse<String> health = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(console + "/health/ready"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(health.statusCode()).as(health.body()).isEqualTo(200);
            assertThat(broker.output())
                    .contains("Clients: [::1]:" + six + ",127.0.0.1:" + four + "  Console: " + console + "/");
            // And nobody else
            assumeTrue(Sockets.visible(), "the kernel's socket table (/proc/net/tcp) is not readable here");
            assertThat(Sockets.openedBy(broker.pid()))
                    .contains("[::1]:" + six, "127.0.0.1:" + four)
                    .allMatch(Sockets::isLoopback);
        }
    }

    private static void serves(String bootstrap, String host, int port, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            assertThat(admin.describeCluster().nodes().get(30, TimeUnit.SECONDS))
                    .singleElement()
                    .extracting(Node::host, Node::port)
                    .containsExactly(host.replaceAll("[\\[\\]]", ""), port);
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
        }
    }

    private static boolean hasLoopback() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
            return socket.isBound();
        } catch (IOException none) {
            return false;
        }
    }
}
