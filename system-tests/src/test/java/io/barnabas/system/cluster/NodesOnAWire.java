package io.barnabas.system.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A program, in a network of its own: nodes on one wire find each other in the data grid, by a {@code name} or {@code calling}, as the
 * first argument says; the second is where they live. Ends with 1 if they do not, with {@link FaultTable#NO_NETWORK} where there can be
 * no such wire.
 */
final class NodesOnAWire {
    static final String NAME = "name";
    static final String CALLING = "calling";

    private static final String HOST = "grid.test";
    private static final int PORT = 6900;
    private static final int NOBODY = 99;
    private static final int STRANGER = InDataGrid.OBSERVER + 1;
    private static final Duration START = Duration.ofSeconds(180);
    /** A name is looked up every ten seconds, is unknown for ten more, and whoever is alone looks for others every ten seconds. */
    private static final Duration FOUND = Duration.ofSeconds(90);

    private final Bridge bridge;
    private final Path directory;

    private NodesOnAWire(Bridge bridge, Path directory) {
        this.bridge = bridge;
        this.directory = directory;
    }

    public static void main(String[] args) throws Exception {
        Bridge bridge;
        try {
            bridge = Bridge.make(STRANGER);
        } catch (IllegalStateException e) {
            System.out.println("a bridge in a network of one's own is not allowed here: " + e.getMessage());
            System.exit(FaultTable.NO_NETWORK);
            return;
        }
        NodesOnAWire nodes = new NodesOnAWire(bridge, Path.of(args[1]));
        if (args[0].equals(NAME)) {
            nodes.findEachOtherByName();
        } else {
            nodes.findEachOtherByCalling();
        }
        System.exit(0);
    }

    private void findEachOtherByCalling() throws Exception {
        // When four that have the cluster's key start, of which one is not told who votes
        Path key = InnerPort.makeKey(Files.createDirectories(directory).resolve("cluster.pem"));
        InDataGrid product = product("multicast", Map.of("barnabas.cluster.key", key.toString()));
        try (Cluster cluster = Cluster.start(product, bridge, Set.of(), directory, InDataGrid.OBSERVER)) {
            // Then all are in one grid, and that one, which serves, has found the voters there
            cluster.await("all in one grid", FOUND, () -> InDataGrid.seeEachOther(cluster.nodes()));
            cluster.await(
                    "the voters are found", FOUND, () -> InDataGrid.foundVoters(cluster.node(InDataGrid.OBSERVER)));
            // When one calls that has not the key
            Node stranger = node(STRANGER, product("multicast", Map.of()), cluster);
            stranger.launch();
            try {
                // Then it is answered, refused where it comes to join, and learns nothing
                cluster.await("the stranger is refused", START, () -> cluster.nodes().stream()
                        .anyMatch(node -> node.outputOfThisStart().contains(InDataGrid.REFUSED)));
                if (!InDataGrid.seeEachOther(cluster.nodes()) || InDataGrid.foundVoters(stranger)) {
                    throw new AssertionError("a stranger is in the grid");
                }
            } finally {
                System.out.println(stranger.outputOfThisStart());
                stranger.kill();
            }
        }
    }

    private void findEachOtherByName() throws Exception {
        // Given voters that know a name, of which the first address is nobody's, and the third voter's is missing
        InDataGrid product = product("dns:" + HOST + ":" + PORT, Map.of());
        for (int voter = 1; voter <= InDataGrid.VOTERS; voter++) {
            setAddresses(voter, NOBODY, 1, 2);
        }
        try (Cluster cluster = Cluster.start(product, bridge, Set.of(), directory, InDataGrid.VOTERS)) {
            // Then they are one grid
            cluster.await("all voters in one grid", FOUND, () -> InDataGrid.seeEachOther(cluster.nodes()));
            // When a broker that is told nothing but the name starts before that has an address
            setAddresses(InDataGrid.OBSERVER);
            Node observer = node(InDataGrid.OBSERVER, product, cluster);
            observer.launch();
            try {
                cluster.await("it knows nobody", START, () -> observer.outputOfThisStart()
                        .contains("Waiting for voters of the metadata in the data grid"));
                // Then it finds the others when it has, and serves
                setAddresses(InDataGrid.OBSERVER, NOBODY, 3);
                cluster.await("the voters are found", FOUND, () -> InDataGrid.foundVoters(observer));
                cluster.awaitMembers(InDataGrid.OBSERVER, START);
                List<Node> all = new ArrayList<>(cluster.nodes());
                all.add(observer);
                cluster.await("all in one grid", FOUND, () -> InDataGrid.seeEachOther(all));
            } finally {
                System.out.println(observer.outputOfThisStart());
                observer.kill();
            }
        }
    }

    private InDataGrid product(String discovery, Map<String, String> settings) {
        return InDataGrid.by(
                new InDataGrid.Means() {
                    @Override
                    public String address(Place node) {
                        return node.host() + ":" + PORT;
                    }

                    @Override
                    public String discovery(List<Place> voters) {
                        return discovery;
                    }

                    @Override
                    public List<String> options(Place node) {
                        Path hosts = hosts(node.id());
                        return Files.exists(hosts) ? List.of("-Djdk.net.hosts.file=" + hosts) : List.of();
                    }
                },
                settings);
    }

    private Path hosts(int node) {
        return directory.resolve("hosts-" + node);
    }

    /** What a node is told when it looks up the name. */
    private void setAddresses(int node, int... nodes) throws IOException {
        StringBuilder lines =
                new StringBuilder("127.0.0.1 localhost " + Files.readString(Path.of("/proc/sys/kernel/hostname")));
        for (int each : nodes) {
            lines.append(bridge.host(each)).append(' ').append(HOST).append('\n');
        }
        Path whole = Files.writeString(Files.createDirectories(directory).resolve("hosts"), lines);
        Files.move(whole, hosts(node), StandardCopyOption.ATOMIC_MOVE); // the node may be reading
    }

    private Node node(int id, InDataGrid product, Cluster cluster) throws IOException {
        Place place = new Place(
                id, bridge.host(id), Cluster.ports(), directory.resolve(Integer.toString(id)), bridge.entrance(id));
        List<Place> voters = cluster.nodes().stream().map(Node::place).toList();
        return new Node(place, product.command(place, voters), Set.of());
    }
}
