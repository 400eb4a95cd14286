package io.barnabas.server;

import fish.payara.micro.BootstrapException;
import fish.payara.micro.ClusterCommandResult;
import fish.payara.micro.boot.AdminCommandRunner;
import fish.payara.micro.boot.PayaraMicroBoot;
import io.barnabas.start.Refusal;
import io.barnabas.start.ServerPid;
import io.barnabas.start.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The main class of the server's process. The launcher has checked what can be checked beforehand and put this process in its own
 * place; this class boots Payara Micro with the configuration that is in the jar, deploys the resource adapter and the application
 * that carries the broker, and waits until the broker serves. A failed deployment, which the container itself would only log, ends
 * the process.
 *
 * <p>Thread: main, which then looks on: a broker that has failed while it served ends the process at once, as a crash does, because
 * what an orderly stop would write may not hold.
 */
public final class Server {
    private static final Logger LOG = Logger.getLogger(Server.class.getName());

    /** The exit code when the broker cannot start. */
    public static final int CANNOT_START = 1;

    /** The exit code when the broker cannot go on. */
    public static final int CANNOT_GO_ON = 2;

    private static final String HTTP_LISTENER =
            "configs.config.server-config.network-config.network-listeners.network-listener.http-listener.";

    /** Set by a shutdown hook, read by main. */
    private static volatile boolean stopping;

    private final ServerSettings settings;
    private final DataGrid grid;
    private @Nullable AdminCommandRunner booted;
    private @Nullable String failure;

    private Server(ServerSettings settings, DataGrid grid) {
        this.settings = settings;
        this.grid = grid;
    }

    /** Boots; arguments come as system properties, see {@link ServerSettings}. */
    public static void main(String[] args) {
        Terminal.install();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stopping = true, "stopping"));
        ServerSettings settings = ServerSettings.ofSystemProperties();
        CompilerDirectives.add(settings);
        try {
            ServerPid.take(settings.data());
            DataGrid grid = new DataGrid(
                    ConfigurationCheck.check(Settings.ofSystemProperties(), settings.deploy()), settings.root());
            grid.prepare();
            Server server = new Server(settings, grid);
            server.boot();
            server.lookOn(server.awaitBroker());
        } catch (StartFailure | Refusal e) {
            end(e.getMessage());
        } catch (Exception | LinkageError e) {
            if (!stopping) {
                LOG.log(Level.SEVERE, "The server cannot start", e);
            }
            end(e.toString());
        }
    }

    /** A start that is stopped breaks off somewhere; where is of no interest. */
    private static void end(@Nullable String message) {
        if (stopping) {
            return;
        }
        System.err.println("barnabas: cannot start: " + message);
        System.exit(CANNOT_START);
    }

    private void boot() throws BootstrapException, IOException, ReflectiveOperationException, StartFailure {
        containerProperties().forEach((key, value) -> System.getProperties().putIfAbsent(key, value));
        PayaraMicroBoot boot = (PayaraMicroBoot) Class.forName("fish.payara.micro.impl.PayaraMicroImpl")
                .getMethod("getInstance")
                .invoke(null);
        boot.setRootDir(freshRoot().toFile());
        boot.setNoHazelcast(true);
        boot.setPreBootHandler(grid::onBoot);
        boot.setPostBootHandler(this::deploy);
        boot.bootStrap();
        if (failure != null) {
            throw new StartFailure(failure);
        }
    }

    /** The container keeps nothing from one start to the next. */
    private Path freshRoot() throws IOException {
        Path root = settings.root();
        if (Files.exists(root)) {
            List<Path> paths;
            try (Stream<Path> walk = Files.walk(root)) {
                paths = walk.sorted(Comparator.reverseOrder()).toList();
            }
            for (Path path : paths) {
                Files.deleteIfExists(path);
            }
        }
        return Files.createDirectories(root);
    }

    /** What Payara Micro's own launcher would set from its jar. */
    private static Properties containerProperties() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Server.class.getResourceAsStream("/MICRO-INF/payara-boot.properties")) {
            if (in != null) {
                properties.load(in);
            }
        }
        return properties;
    }

    private void deploy(AdminCommandRunner container) {
        booted = container;
        deploy(container, "barnabas", "--name=barnabas");
        deploy(container, "console", "--name=console", "--contextroot=/");
        openHttp(container);
    }

    /**
     * Opens the console's port, which the configuration keeps closed: a container that answers while it deploys says at {@code
     * /health/ready} that it is ready as soon as any archive is there, and fails other requests in several ways. From here on the
     * broker's own checks are there and decide. Address and port are set as they are: of a listener that is opened while the container
     * runs it would ask the name server for the placeholder.
     */
    private void openHttp(AdminCommandRunner container) {
        run(
                container,
                "cannot listen on " + settings.httpHost() + ":" + settings.httpPort(),
                "set",
                HTTP_LISTENER + "address=" + settings.httpHost(),
                HTTP_LISTENER + "port=" + settings.httpPort(),
                HTTP_LISTENER + "enabled=true");
    }

    private void deploy(AdminCommandRunner container, String folder, String... options) {
        Path archive = settings.deploy().resolve(folder);
        String[] arguments = new String[options.length + 1];
        System.arraycopy(options, 0, arguments, 0, options.length);
        arguments[options.length] = archive.toString();
        run(container, "the container does not take " + folder, "deploy", arguments);
    }

    private void run(AdminCommandRunner container, String otherwise, String command, String... arguments) {
        if (failure != null) {
            return;
        }
        ClusterCommandResult result = container.run(command, arguments);
        if (result.getExitStatus() == ClusterCommandResult.ExitStatus.FAILURE) {
            failure = otherwise + ": " + result.getOutput();
        }
    }

    private BrokerWatch awaitBroker() throws InterruptedException, StartFailure {
        BrokerWatch watch = new BrokerWatch();
        BrokerWatch.Listening listening = watch.awaitServing();
        System.out.println("Barnabas serves. Clients: " + String.join(",", listening.listeners()) + "  Console: http://"
                + new Settings.Listener(Settings.HTTP_PORT, settings.httpHost(), settings.httpPort()) + "/");
        if (booted != null) {
            grid.onServing(booted);
        }
        return watch;
    }

    private void lookOn(BrokerWatch watch) {
        @Nullable String cause = watch.awaitFailure();
        if (cause != null) {
            System.err.println("barnabas: the broker cannot go on and ends; start it again: " + cause);
            Runtime.getRuntime().halt(CANNOT_GO_ON);
        }
    }
}
