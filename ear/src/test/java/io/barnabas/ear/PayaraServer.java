package io.barnabas.ear;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A full Payara Server on a domain of its own, every listener on a free loopback port. It is driven by the class that the
 * {@code asadmin} script calls.
 */
final class PayaraServer implements AutoCloseable {
    private static final Random PORTS = new Random(ProcessHandle.current().pid());
    private static final int COMMAND_SECONDS = 300;
    /** The server warns of each certificate in its own trust store that is past its time, at its first look into it. */
    private static final String EXPIRED_CERTIFICATE = "[NCLS-SECURITY-05054]";

    private final Path home;
    private final Path domain;
    private final Path work;
    private final int adminPort = freePort();
    private final int httpPort = freePort();
    private long pid;

    private PayaraServer(Path home, Path work) {
        this.home = home;
        this.work = work;
        this.domain = work.resolve("domains/domain1");
    }

    /** Starts a server with {@code configuration} as the broker's file of settings. */
    static PayaraServer start(Path home, Path work, Path configuration) throws IOException, InterruptedException {
        PayaraServer server = new PayaraServer(home, work);
        copy(home.resolve("glassfish/domains/domain1"), server.domain);
        Path xml = server.domain.resolve("config/domain.xml");
        Files.writeString(xml, server.onLoopback(Files.readString(xml), configuration));
        server.asadmin("start-domain", "--domaindir", work.resolve("domains").toString(), "domain1");
        server.pid = Long.parseLong(
                Files.readString(server.domain.resolve("config/pid")).trim());
        return server;
    }

    /** Free ports on the loopback address; what the test does not need (TLS, the data grid, JMS, calls home) is off. */
    private String onLoopback(String xml, Path configuration) {
        String changed = xml.replace("address=\"0.0.0.0\"", "address=\"127.0.0.1\"")
                .replace("<network-listener port=\"8080\"", listener(httpPort, true))
                .replace("<network-listener port=\"8181\"", listener(freePort(), false))
                .replace("<network-listener port=\"4848\"", listener(adminPort, true))
                .replace("type=\"EMBEDDED\"", "type=\"REMOTE\"")
                .replace(
                        "<hazelcast-config-specific-configuration></hazelcast-config-specific-configuration>",
                        "<hazelcast-config-specific-configuration enabled=\"false\"/><phone-home-runtime-configuration"
                                + " enabled=\"false\"/>")
                .replaceFirst(
                        "</jvm-options>",
                        "</jvm-options><jvm-options>-Dbarnabas.config=" + configuration + "</jvm-options>");
        for (String port : List.of("3700", "3820", "3920", "8686", "7676")) {
            changed = changed.replace("port=\"" + port + "\"", "port=\"" + freePort() + "\"")
                    .replace("value=\"" + port + "\"", "value=\"" + freePort() + "\"");
        }
        return changed;
    }

    private static String listener(int port, boolean enabled) {
        return "<network-listener enabled=\"" + enabled + "\" address=\"127.0.0.1\" port=\"" + port + "\"";
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                if (!Files.isDirectory(file)) {
                    Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    void deploy(String name, Path archive) throws IOException, InterruptedException {
        asadmin("deploy", "--name", name, archive.toString());
    }

    void undeploy(String name) throws IOException, InterruptedException {
        asadmin("undeploy", name);
    }

    String http() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** Names of the server's live threads. */
    List<String> threads() throws IOException, InterruptedException {
        return run(jdk("jstack"), Long.toString(pid))
                .lines()
                .filter(line -> line.startsWith("\""))
                .map(line -> line.substring(1, line.indexOf('"', 1)))
                .toList();
    }

    /** How many objects of classes with these simple names are left after a collection of garbage. */
    long instances(String... simpleNames) throws IOException, InterruptedException {
        List<String> names = List.of(simpleNames);
        return run(jdk("jcmd"), Long.toString(pid), "GC.class_histogram")
                .lines()
                .map(line -> line.trim().split("\\s+"))
                .filter(columns -> columns.length >= 4 && columns[0].endsWith(":"))
                .filter(columns -> names.contains(columns[3].substring(columns[3].lastIndexOf('.') + 1)))
                .mapToLong(columns -> Long.parseLong(columns[1]))
                .sum();
    }

    /** Characters in the server's log. */
    int logLength() throws IOException {
        return log().length();
    }

    /** What the server's log says from a place on that is more than information: warnings, errors and stack traces. */
    List<String> alarms(int from) throws IOException {
        return log().substring(from)
                .lines()
                .filter(line -> line.contains("[SEVERE]") || line.contains("[WARNING]") || line.startsWith("\tat "))
                .filter(line -> !line.contains(EXPIRED_CERTIFICATE))
                .toList();
    }

    private String log() throws IOException {
        return Files.readString(domain.resolve("logs/server.log"));
    }

    long openSockets() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return descriptors.filter(PayaraServer::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    private void asadmin(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                jdk("java"),
                "-jar",
                home.resolve("glassfish/lib/client/appserver-cli.jar").toString(),
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(adminPort)));
        command.addAll(Arrays.asList(arguments));
        run(command.toArray(new String[0]));
    }

    private static String jdk(String tool) {
        return Path.of(System.getProperty("java.home"), "bin", tool).toString();
    }

    private String run(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(work, "output-", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        String said = Files.readString(output);
        Files.delete(output);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": " + said);
        }
        return said;
    }

    @Override
    public void close() throws IOException {
        ProcessHandle.of(pid).ifPresent(server -> {
            server.destroyForcibly();
            server.onExit().join();
        });
    }

    static int freePort() {
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
}
