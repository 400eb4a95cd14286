package io.barnabas.server;

import fish.payara.micro.ClusterCommandResult;
import fish.payara.micro.boot.AdminCommandRunner;
import io.barnabas.start.Refusal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Starts the container's data grid (Hazelcast), if {@code barnabas.cluster.discovery} asks for one, in a thread of its own: members that hang
 * must not keep this node from serving, nor one that cannot join. So it is started when the broker serves. Where the broker has to ask the
 * grid who votes before it can start at all, the container starts it with itself. The broker finds it by its name in JNDI.
 *
 * <p>Where members are looked for by name, it is told their addresses ({@link MemberAddresses}), and again when these are others.
 *
 * <p>Thread: main, and that of its own.
 */
final class DataGrid {
    private static final Logger LOG = Logger.getLogger(DataGrid.class.getName());
    private static final String ENABLED =
            "configs.config.server-config.hazelcast-config-specific-configuration.enabled";
    private static final String HOST = "barnabas.grid.host";
    private static final String PORT = "barnabas.grid.port";
    private static final String MEMBERS = "barnabas.grid.members";

    /** Members that are alone look for others as often. */
    private static final long LOOK_UP_SECONDS = 10;

    private final Map<String, String> properties;
    private final Path configuration;
    private final MemberAddresses others;

    /**
     * @param properties what {@code hazelcast.xml} asks for; empty if there is to be no grid
     * @param root the container's folder
     */
    DataGrid(Map<String, String> properties, Path root) {
        this.properties = properties;
        this.configuration = root.resolve("config").resolve("hazelcast.xml");
        this.others = new MemberAddresses(
                Stream.of(properties.getOrDefault(MEMBERS, "").split(","))
                        .filter(member -> !member.isEmpty())
                        .toList(),
                InetAddress::getAllByName);
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
            Set<String> addresses = lookUp();
            run(container, "set", ENABLED + "=true");
            inBackground(() -> lookUpAgain(addresses));
        }
    }

    /** The broker serves: starts it, if there is to be one and the container has not. Does not wait. */
    void onServing(AdminCommandRunner container) {
        if (!properties.isEmpty() && !isAskedAtStart()) {
            inBackground(() -> {
                Set<String> addresses = lookUp();
                run(container, "set-hazelcast-configuration", "--enabled=true", "--dynamic=true");
                lookUpAgain(addresses);
            });
        }
    }

    private static void inBackground(Runnable work) {
        Thread thread = new Thread(work, "data-grid");
        thread.setDaemon(true);
        thread.start();
    }

    /** Before the grid starts. The list may not be empty, not even where members call each other: this member itself is in it. */
    private Set<String> lookUp() {
        Set<String> addresses = others.lookUp();
        String host = String.valueOf(System.getProperty(HOST));
        String own = (host.contains(":") ? "[" + host + "]:" : host + ":") + properties.get(PORT);
        System.setProperty(MEMBERS, addresses.isEmpty() ? own : String.join(",", addresses));
        return addresses;
    }

    /** As long as this process lives: addresses of names come and go with nodes. */
    private void lookUpAgain(Set<String> atFirst) {
        Set<String> told = atFirst;
        while (others.mayChange()) {
            try {
                TimeUnit.SECONDS.sleep(LOOK_UP_SECONDS);
                Set<String> found = others.lookUp();
                if (!found.equals(told) && LiveGrid.lookAt(found)) {
                    LOG.log(Level.INFO, "Members of the data grid are looked for elsewhere from now on: {0}", found);
                    told = found;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException | LinkageError e) {
                LOG.log(Level.WARNING, "Members of the data grid could not be looked for elsewhere", e);
            }
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
