package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.grid.Grid;
import io.barnabas.log.LogDirectories;
import io.barnabas.log.LogEnvironment;
import io.barnabas.log.NioFileStore;
import io.barnabas.log.OwnLogThreads;
import io.barnabas.ra.StandalonePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/**
 * A whole broker inside the test's JVM, without a container: real sockets on a free loopback port, real files in a directory of its
 * own. Can be stopped and started again on the same directory, and crashed. Used by one thread.
 *
 * <pre>{@code
 * try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.segment.bytes", "1048576"))) {
 *     Admin admin = broker.admin();
 *     ...
 *     broker.restart();
 * }
 * }</pre>
 */
public final class EmbeddedBroker implements AutoCloseable {
    private static final String LISTENER = "PLAINTEXT";
    private static final int FIRST_PORT = 10_000;
    private static final int PORTS = 20_000;
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger((int) (ProcessHandle.current().pid() * 97));
    private static final Logger QUIET = Logger.getLogger("org.apache.ratis"); // kept, else its level is forgotten

    static {
        QUIET.setLevel(Level.WARNING);
    }

    private final Map<String, String> given;
    private final boolean temporary;
    private final int socketPort;
    private Path directory;
    private @Nullable StandalonePort port;
    private @Nullable BrokerNode node;
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();

    private EmbeddedBroker(Path directory, boolean temporary, int socketPort, Map<String, String> given) {
        this.directory = directory;
        this.temporary = temporary;
        this.socketPort = socketPort;
        this.given = Map.copyOf(given);
    }

    /** A broker with few partitions for offsets and no delay before a group's first generation. */
    public static EmbeddedBroker start() {
        return start(Map.of());
    }

    /** The same with broker keys of the test's own. */
    public static EmbeddedBroker start(Map<String, String> config) {
        try {
            return started(Files.createTempDirectory("barnabas-test"), true, freePort(), config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A broker on a directory and port that are given; the directory stays when the broker is closed. */
    public static EmbeddedBroker start(Path directory, int port, Map<String, String> config) {
        return started(directory, false, port, config);
    }

    private static EmbeddedBroker started(Path directory, boolean temporary, int port, Map<String, String> config) {
        EmbeddedBroker broker = new EmbeddedBroker(directory, temporary, port, config);
        broker.open();
        return broker;
    }

    /** Below the ports that the system gives to connections: one of those could be taken again before the broker is there. */
    private static int freePort() {
        while (true) {
            int port = FIRST_PORT + Math.floorMod(NEXT_PORT.getAndIncrement(), PORTS);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                QUIET.log(Level.FINE, "port taken", e);
            }
        }
    }

    private void open() {
        Map<String, String> config = new HashMap<>();
        config.put("node.id", "1");
        config.put("log.dirs", directory.resolve("data").toString());
        config.put("listeners", LISTENER + "://127.0.0.1:" + socketPort);
        config.put("num.network.threads", "2");
        config.put("offsets.topic.num.partitions", "4");
        config.put("offsets.topic.replication.factor", "1");
        config.put("transaction.state.log.num.partitions", "4");
        config.put("group.initial.rebalance.delay.ms", "0");
        config.putAll(given);
        StandalonePort opened = new StandalonePort((settings, clock, ticker, workers) -> LogDirectories.open(
                settings,
                new LogEnvironment(new NioFileStore(), clock, ticker, new OwnLogThreads(settings.cleanerThreads()))));
        try {
            opened.open(brokerPort -> {
                BrokerNode started = BrokerNode.start(brokerPort, BrokerConfig.of(config), Grid.NONE, failures::add);
                node = started;
                return started.dispatcher();
            });
        } catch (Exception e) {
            throw new IllegalStateException("The embedded broker does not start", e);
        }
        port = opened;
    }

    /** Where clients connect. */
    public String bootstrap() {
        return "127.0.0.1:" + socketPort;
    }

    public int port() {
        return socketPort;
    }

    /** Settings that every client needs. */
    public Map<String, Object> clientConfig() {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap());
        config.put("reconnect.backoff.ms", "10");
        config.put("reconnect.backoff.max.ms", "100");
        config.put("retry.backoff.ms", "10");
        config.put("retry.backoff.max.ms", "100");
        return config;
    }

    /** A new admin client, for the caller to close. */
    public Admin admin() {
        return Admin.create(clientConfig());
    }

    /** Where the broker keeps everything; {@code data} under it is its only data directory unless the test names others. */
    public Path directory() {
        return directory;
    }

    /** The running broker's cores. */
    public BrokerNode node() {
        BrokerNode running = node;
        if (running == null) {
            throw new IllegalStateException("the broker is stopped");
        }
        return running;
    }

    /** What ended the broker, if anything has. */
    public List<Throwable> failures() {
        return failures;
    }

    /** Stops in order. Idempotent. */
    public void stop() {
        StandalonePort open = port;
        if (open != null) {
            port = null;
            node = null;
            open.close();
        }
    }

    /** Starts again after {@link #stop}, on the same port and directory. */
    public void startAgain() {
        open();
    }

    /** Stops in order and starts again. */
    public void restart() {
        stop();
        startAgain();
    }

    /**
     * As if the process had been killed at this moment and started again: goes on with a copy of the directory that is taken while the
     * broker runs, so nothing of an orderly stop is in it. Nobody may be writing meanwhile.
     */
    public void crash() {
        try {
            Path copy = Files.createTempDirectory("barnabas-test");
            copy(directory, copy);
            stop();
            if (temporary) {
                delete(directory);
            }
            directory = copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        open();
    }

    /** Stops and, if the directory is the broker's own, deletes it. */
    @Override
    public void close() {
        stop();
        if (temporary) {
            try {
                delete(directory);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) throws IOException {
                Files.createDirectories(to.resolve(from.relativize(path)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) throws IOException {
                try {
                    Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.REPLACE_EXISTING);
                } catch (NoSuchFileException e) {
                    return FileVisitResult.CONTINUE; // a checkpoint's new content, which has its name by now
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path path, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
    }

    static void delete(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(path);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path path, @Nullable IOException e) throws IOException {
                Files.deleteIfExists(path);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
