package io.barnabas.server;

import fish.payara.micro.ClusterCommandResult;
import fish.payara.micro.boot.AdminCommandRunner;
import io.barnabas.start.Refusal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Starts the container's data grid (Hazelcast), if {@code barnabas.cluster.discovery} asks for one, in a thread of its own: members that hang
 * must not keep this node from serving, nor one that cannot join. So it is started when the broker serves. Where the broker has to ask the
 * grid who votes before it can start at all, the container starts it with itself. The broker finds it by its name in JNDI.
 *
 * <p>Thread: main, and that of its own.
 */
final class DataGrid {
    private static final Logger LOG = Logger.getLogger(DataGrid.class.getName());
    private static final String ENABLED =
            "configs.config.server-config.hazelcast-config-specific-configuration.enabled";
    private static final String HOST = "barnabas.grid.host";

    private final Map<String, String> properties;
    private final Path configuration;

    /**
     * @param properties what {@code hazelcast.xml} asks for; empty if there is to be no grid
     * @param root the container's folder
     */
    DataGrid(Map<String, String> properties, Path root) {
        this.properties = properties;
        this.configuration = root.resolve("config").resolve("hazelcast.xml");
    }

    /** Before anything else runs that may read objects. */
    void prepare() {
        if (properties.isEmpty()) {
            return;
        }
        GridFilter.install();
        properties.forEach(System::setProperty);
        System.setProperty(HOST, address(String.valueOf(properties.get(HOST))));
        System.setProperty("hazelcast.config", configuration.toString());
    }

    /** Interfaces are told by their addresses. */
    private static String address(String host) {
        try {
            return InetAddress.getByName(host).getHostAddress();
        } catch (UnknownHostException e) {
            throw new Refusal("barnabas.cluster.address names a host that is not known: " + host);
        }
    }

    private boolean isAskedAtStart() {
        return Boolean.parseBoolean(properties.get("barnabas.grid.seeks"));
    }

    /** The container is about to start: it starts the grid with itself if the broker asks that at its start. */
    void onBoot(AdminCommandRunner container) {
        if (isAskedAtStart()) {
            run(container, "set", ENABLED + "=true");
        }
    }

    /** The broker serves: starts it, if there is to be one and the container has not. Does not wait. */
    void onServing(AdminCommandRunner container) {
        if (!properties.isEmpty() && !isAskedAtStart()) {
            Thread thread = new Thread(
                    () -> run(container, "set-hazelcast-configuration", "--enabled=true", "--dynamic=true"),
                    "data-grid");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private static void run(AdminCommandRunner container, String command, String... arguments) {
        try {
            ClusterCommandResult result = container.run(command, arguments);
            if (result.getExitStatus() == ClusterCommandResult.ExitStatus.FAILURE) {
                LOG.log(Level.WARNING, "The data grid was not started: {0}", result.getOutput());
            }
        } catch (RuntimeException | LinkageError e) {
            LOG.log(Level.WARNING, "The data grid was not started", e);
        }
    }
}
