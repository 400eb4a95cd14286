package io.barnabas.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.hazelcast.config.Config;
import com.hazelcast.config.SSLConfig;
import com.hazelcast.config.XmlConfigBuilder;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.instance.BuildInfoProvider;
import com.hazelcast.instance.EndpointQualifier;
import com.hazelcast.instance.impl.DefaultNodeContext;
import io.barnabas.port.ClusterKey;
import io.barnabas.start.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Members of a data grid, configured as the server does it, each with the key that it is given. */
@Timeout(120)
class GridTlsTest {
    private static final byte[] GREETING = "HZC".getBytes(StandardCharsets.US_ASCII);
    private static final int HANDSHAKE = 22;
    private static final int TLS = 3;

    private final List<HazelcastInstance> members = new ArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Logger log = Logger.getLogger(GridTls.class.getName());
    private final Handler listener = new Handler() {
        @Override
        public void publish(LogRecord line) {
            told.add(new SimpleFormatter().formatMessage(line));
        }

        @Override
        public void flush() {
            // nothing is kept
        }

        @Override
        public void close() {
            // nothing is open
        }
    };

    @BeforeEach
    void listen() {
        log.addHandler(listener);
    }

    @AfterEach
    void stop() {
        log.removeHandler(listener);
        GridTls.useNone();
        members.forEach(member -> member.getLifecycleService().terminate());
    }

    private static ClusterKey key(String name) throws IOException {
        return ClusterKey.read(Path.of("../jca-adapter/src/test/resources/io/barnabas/net", name));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private HazelcastInstance member(@Nullable ClusterKey key, int port, int... others) throws Exception {
        if (key == null) {
            GridTls.useNone();
        } else {
            GridTls.use(key.keys(), key.trust());
        }
        HazelcastInstance member = Hazelcast.newHazelcastInstance(config(port, others));
        members.add(member);
        return member;
    }

    private static Config config(int port, int... others) throws IOException {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "barnabas.grid.name", "test",
                "barnabas.grid.multicast", "false",
                "barnabas.grid.group", "224.2.2.3",
                "barnabas.grid.group.port", "54327",
                "barnabas.grid.tcpip", "true",
                "barnabas.grid.host", "127.0.0.1",
                "barnabas.grid.port", "" + port,
                "barnabas.grid.node", "" + port,
                "barnabas.grid.voters", "v".repeat(100_000),
                "barnabas.grid.members", addresses(port, others)));
        try (InputStream xml = Files.newInputStream(Path.of("src/main/payara/hazelcast.xml"))) {
            return new XmlConfigBuilder(xml).setProperties(properties).build();
        }
    }

    private static String addresses(int port, int... others) {
        StringBuilder all = new StringBuilder("127.0.0.1:" + port);
        Arrays.stream(others).forEach(other -> all.append(",127.0.0.1:").append(other));
        return all.toString();
    }

    private static int size(HazelcastInstance member) {
        return member.getCluster().getMembers().size();
    }

    private void assertTold(String reason) {
        Awaitility.await().atMost(20, TimeUnit.SECONDS).untilAsserted(() -> assertThat(told)
                .anySatisfy(line -> assertThat(line).contains("barnabas.cluster.key", reason)));
    }

    @Test
    void whoHasTheKeyIsAMember() throws Exception {
        // When three have the same key, and say of themselves more than a record of TLS holds
        int port = freePort();
        int second = freePort();
        HazelcastInstance one = member(key("cluster.pem"), port);
        HazelcastInstance two = member(key("cluster.pem"), second, port);
        HazelcastInstance three = member(key("cluster.pem"), freePort(), port, second);
        // Then they are one grid, and all that is said arrives
        Awaitility.await().until(() -> size(one) == 3 && size(two) == 3 && size(three) == 3);
        assertThat(three.getCluster().getMembers())
                .allSatisfy(member ->
                        assertThat(member.getAttribute("barnabas.voters")).hasSize(100_000));
        assertThat(told).isEmpty();
        // And one that goes is missed
        two.getLifecycleService().terminate();
        Awaitility.await().atMost(20, TimeUnit.SECONDS).until(() -> size(one) == 2 && size(three) == 2);
    }

    @Test
    void muchThatIsSaidAtOnceArrives() throws Exception {
        // Given two members
        int port = freePort();
        HazelcastInstance one = member(key("cluster.pem"), port);
        HazelcastInstance two = member(key("cluster.pem"), freePort(), port);
        Awaitility.await().until(() -> size(one) == 2 && size(two) == 2);
        // When several threads of both say small and large things
        List<CompletableFuture<Void>> talk = new ArrayList<>();
        for (int thread = 0; thread < 8; thread++) {
            HazelcastInstance member = thread % 2 == 0 ? one : two;
            int of = thread;
            talk.add(CompletableFuture.runAsync(() -> {
                for (int i = 0; i < 200; i++) {
                    byte[] said = new byte[i % 20 == 0 ? 1_000_000 : i * 37];
                    Arrays.fill(said, (byte) i);
                    member.<String, byte[]>getMap("said").set(of + "/" + i % 40, said);
                    assertThat(member.<String, byte[]>getMap("said").get(of + "/" + i % 40))
                            .isEqualTo(said);
                }
            }));
        }
        // Then all of it comes
        CompletableFuture.allOf(talk.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
    }

    @Test
    void whoHasAnotherKeyIsNone() throws Exception {
        int port = freePort();
        HazelcastInstance one = member(key("cluster.pem"), port);
        HazelcastInstance stranger = member(key("stranger.pem"), freePort(), port);
        assertTold("remote=/127.0.0.1");
        assertThat(size(one)).isOne();
        assertThat(size(stranger)).isOne();
    }

    @Test
    void whoHasNoKeyIsNoneWhoeverCalls() throws Exception {
        int port = freePort();
        int other = freePort();
        HazelcastInstance one = member(key("cluster.pem"), port, other);
        HazelcastInstance stranger = member(null, other, port);
        assertTold("It does not speak TLS");
        assertThat(size(one)).isOne();
        assertThat(size(stranger)).isOne();
    }

    @Test
    void aMembersPortAnswersNobodyElse() throws Exception {
        int port = freePort();
        member(key("cluster.pem"), port);
        assertThat(greet(port, key("cluster.pem"), key("cluster.pem").trust())).isEqualTo(GREETING);
        assertThat(greet(port, null, key("cluster.pem").trust())).isEmpty();
        assertThat(greet(port, key("stranger.pem"), key("cluster.pem").trust())).isEmpty();
        try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), port)) {
            plain.getOutputStream().write(GREETING);
            assertThat(read(plain)).isEmpty();
        }
        try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertThat(read(silent)).isEmpty();
        }
        assertTold("remote=/127.0.0.1");
    }

    /** The other end of a connection of a member's. */
    private byte[] greet(int port, @Nullable ClusterKey own, TrustManager trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(own == null ? new KeyManager[0] : new KeyManager[] {own.keys()}, new TrustManager[] {trust}, null);
        try (SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(GREETING);
            return read(socket);
        } catch (SSLException | SocketException refused) {
            return new byte[0];
        }
    }

    /** Till the other end closes, or has said enough. */
    private static byte[] read(Socket socket) throws IOException {
        socket.setSoTimeout(20_000);
        try {
            return socket.getInputStream().readNBytes(GREETING.length);
        } catch (SocketException reset) {
            return new byte[0];
        }
    }

    @Test
    void aMemberSaysNothingInTheClearWhenItCalls() throws Exception {
        CompletableFuture<Void> started;
        try (ServerSocket other = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            CompletableFuture<byte[]> heard = CompletableFuture.supplyAsync(() -> {
                try (Socket caller = other.accept()) {
                    return read(caller);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            int port = other.getLocalPort();
            started = CompletableFuture.runAsync(() -> {
                try {
                    member(key("cluster.pem"), freePort(), port);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(heard.get(60, TimeUnit.SECONDS)).startsWith(HANDSHAKE, TLS);
        }
        started.get(60, TimeUnit.SECONDS);
    }

    @Test
    void hazelcastStaysTheCommunityEditionAndRefusesWhatThatRefuses() throws Exception {
        GridTls.use(key("cluster.pem").keys(), key("cluster.pem").trust());
        assertThat(BuildInfoProvider.getBuildInfo().isEnterprise()).isFalse();
        Config config = config(freePort());
        config.getAdvancedNetworkConfig()
                .getEndpointConfigs()
                .get(EndpointQualifier.MEMBER)
                .setSSLConfig(new SSLConfig().setEnabled(true));
        assertThatThrownBy(() -> Hazelcast.newHazelcastInstance(config)).hasMessageContaining("Enterprise Edition");
    }

    @Test
    void aGridThatCannotBeSecuredIsRefused() {
        assertThatCode(() -> GridTls.requirePlace(DefaultNodeContext.EXTENSION_PRIORITY_LIST))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> GridTls.requirePlace(List.of("com.hazelcast.instance.impl.DefaultNodeExtension")))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("barnabas.cluster.key")
                .hasMessageContaining("barnabas.cluster.discovery");
    }
}
