package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.awaitility.Awaitility;

/**
 * The real {@code barnabas.jar} as a process of its own, on free loopback ports and one data directory. Start, stop, kill and restart
 * keep the ports and the directory.
 */
public final class BarnabasProcess implements AutoCloseable {
    /** Longer than a start takes on a loaded machine. */
    private static final Duration START = Duration.ofSeconds(180);

    private static final Random PORTS = new Random(ProcessHandle.current().pid());

    private final Path data;
    private final Path output;
    private final int kafkaPort = freePort();
    private final int httpPort = freePort();
    private final Map<String, String> settings;
    private Process process;
    private int printedBefore; // characters of output from the starts before
    private Duration lastStart = Duration.ZERO;

    private BarnabasProcess(Path data, Path output, Map<String, String> settings) {
        this.data = data;
        this.output = output;
        this.settings = settings;
    }

    /** Starts a broker and waits until it serves. */
    static BarnabasProcess start(Path data, Map<String, String> settings) throws IOException {
        BarnabasProcess broker = new BarnabasProcess(data, data.resolveSibling(data.getFileName() + ".out"), settings);
        broker.start();
        return broker;
    }

    /** Starts a broker whose clients are sent to a proxy, and waits until it serves through that. */
    static BarnabasProcess startBehind(LossyProxy proxy, Path data, Map<String, String> settings) throws IOException {
        Map<String, String> all = new HashMap<>(settings);
        all.put("advertised.listeners", "PLAINTEXT://" + proxy.bootstrap());
        BarnabasProcess broker = new BarnabasProcess(data, data.resolveSibling(data.getFileName() + ".out"), all);
        proxy.target(broker.kafkaPort());
        broker.start();
        return broker;
    }

    /** Starts a process that is expected to end by itself, with its output in a file of that name, and does not wait. */
    static BarnabasProcess launched(Path data, String name, Map<String, String> settings) throws IOException {
        BarnabasProcess broker = new BarnabasProcess(data, Files.createTempFile(name, ".out"), settings);
        broker.launch();
        return broker;
    }

    static BarnabasProcess start(Path data) throws IOException {
        return start(data, Map.of());
    }

    /** Starts the process again on the same directory and waits until it serves. */
    void start() throws IOException {
        long from = System.nanoTime();
        launch();
        awaitReady();
        lastStart = Duration.ofNanos(System.nanoTime() - from);
    }

    /** How long the last start took that was waited for. */
    Duration lastStart() {
        return lastStart;
    }

    /** Starts the process and does not wait. */
    void launch() throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                jar().toString(),
                "run",
                "--http-port",
                Integer.toString(httpPort)));
        if (!settings.containsKey("listeners")) {
            command.addAll(List.of("--set", "listeners=PLAINTEXT://" + bootstrap()));
        }
        if (!settings.containsKey("log.dirs")) {
            command.addAll(List.of("--data", data.toString()));
        }
        settings.forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        printedBefore = output().length();
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
    }

    private void awaitReady() {
        awaitWord();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
            assertThat(admin.describeCluster().nodes().get(30, TimeUnit.SECONDS))
                    .hasSize(1);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the broker says that it serves, but does not:\n" + output(), e);
        }
    }

    /** Waits until the process says that it serves. */
    void awaitWord() {
        Awaitility.await("the broker serves; its output is in " + output)
                .atMost(START)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> {
                    if (!process.isAlive()) {
                        throw new IllegalStateException(
                                "the broker ended with " + process.exitValue() + ":\n" + output());
                    }
                    return saysItServes();
                });
    }

    /** Whether the start that is under way, or the last one, has come to its end. */
    boolean saysItServes() {
        return outputOfThisStart().contains("Barnabas serves.");
    }

    /** SIGKILL, to the process and whatever it forked. */
    void kill() throws InterruptedException {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        process.waitFor();
        for (ProcessHandle child : children) {
            child.onExit().join();
        }
    }

    /** SIGSTOP: the process keeps its sockets and answers nothing. */
    void freeze() throws IOException, InterruptedException {
        signal("-STOP");
    }

    /** SIGCONT. */
    void thaw() throws IOException, InterruptedException {
        signal("-CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", signal, Long.toString(process.pid())));
        process.descendants().forEach(child -> command.add(Long.toString(child.pid())));
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    /** SIGTERM, and waits for the end. */
    int stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            kill();
            throw new IllegalStateException("the broker did not stop within 60 s:\n" + output());
        }
        return process.exitValue();
    }

    /** Waits for the process to end by itself and answers its exit code. */
    int awaitExit(Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("the process did not end:\n" + output());
        }
        return process.exitValue();
    }

    /** Waits that long, and answers whether the process has ended by itself meanwhile. */
    boolean endsWithin(Duration limit) throws InterruptedException {
        return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    boolean alive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    String bootstrap() {
        return "127.0.0.1:" + kafkaPort;
    }

    int kafkaPort() {
        return kafkaPort;
    }

    /** Root of the console and REST, without a slash at the end. */
    String http() {
        return "http://127.0.0.1:" + httpPort;
    }

    Path data() {
        return data;
    }

    /** Resident memory of the process and whatever it forked, in bytes. */
    long residentBytes() throws IOException {
        return memory("VmRSS:");
    }

    /** The most that has been resident since the start, in bytes; the peaks of the process and what it forked are added up. */
    long peakResidentBytes() throws IOException {
        return memory("VmHWM:");
    }

    private long memory(String field) throws IOException {
        List<Long> pids = new ArrayList<>(List.of(process.pid()));
        process.descendants().forEach(child -> pids.add(child.pid()));
        long kilobytes = 0;
        for (long pid : pids) {
            kilobytes += Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                    .filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]))
                    .findFirst()
                    .orElseThrow();
        }
        return kilobytes << 10;
    }

    /** What the process has printed since it was launched last. */
    String outputOfThisStart() {
        return output().substring(printedBefore);
    }

    /** What the process has printed so far, over all its starts. */
    String output() {
        try {
            return Files.exists(output) ? Files.readString(output) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            try {
                kill();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The jar under test. */
    public static Path jar() {
        Path jar = Path.of(System.getProperty("barnabas.jar", "../server-config/target/barnabas.jar"));
        if (!Files.exists(jar)) {
            throw new IllegalStateException("no " + jar + ": build it with mvn package");
        }
        return jar;
    }

    /** A port below the range that clients' own sockets come from. */
    public static int freePort() {
        for (int i = 0; i < 1000; i++) {
            int port = 12_000 + PORTS.nextInt(18_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new IllegalStateException("no free port");
    }

    /** Runs a command of the real jar; what it says goes to {@code output}. */
    static Process launch(Path output, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", jar().toString()));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }
}
