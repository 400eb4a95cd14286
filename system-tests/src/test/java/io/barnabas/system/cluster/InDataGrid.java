package io.barnabas.system.cluster;

import io.barnabas.system.BarnabasProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Nodes that find each other in the data grid; all above the third have no vote and are not told who has. */
final class InDataGrid extends Variant {
    static final int VOTERS = 3;
    /** The first without a vote. */
    static final int OBSERVER = 4;

    /** What a member says of one that has not the cluster's key. */
    static final String REFUSED = "A node is refused in the data grid, do all have the same barnabas.cluster.key?";

    private static final Pattern OLDEST_FIRST = Pattern.compile("the oldest member first: \\[([\\d, ]+)]");

    private final Means means;

    /** How they find each other. */
    interface Means {
        /** Where a node's member listens, {@code barnabas.cluster.address}. */
        String address(Place node);

        /** What a node is told, {@code barnabas.cluster.discovery}. */
        String discovery(List<Place> voters);

        /** What its JVM is told. */
        default List<String> options(Place node) {
            return List.of();
        }
    }

    private InDataGrid(Map<String, String> settings, Means means) {
        super(settings);
        this.means = means;
    }

    /** @param settings that all have besides */
    static InDataGrid by(Means means, Map<String, String> settings) {
        return new InDataGrid(settings, means);
    }

    /** By a list of the voters' addresses, on ports of their own; all have that key. */
    static InDataGrid byList(Path key) {
        Map<Integer, Integer> ports = new HashMap<>();
        return new InDataGrid(Map.of("barnabas.cluster.key", key.toString()), new Means() {
            @Override
            public String address(Place node) {
                return node.host() + ":" + ports.computeIfAbsent(node.id(), id -> BarnabasProcess.freePort());
            }

            @Override
            public String discovery(List<Place> voters) {
                return "tcpip:" + voters.stream().map(this::address).collect(Collectors.joining(","));
            }
        });
    }

    @Override
    public List<String> command(Place node, List<Place> all) {
        List<Place> voters = all.subList(0, VOTERS);
        List<String> command = new ArrayList<>(usual(node, voters));
        if (node.id() > VOTERS) {
            int list = command.indexOf("controller.quorum.voters=" + Product.voters(voters));
            command.remove(list);
            command.remove(list - 1);
        }
        command.addAll(command.indexOf("-jar"), means.options(node));
        command.addAll(List.of(
                "--set",
                "barnabas.cluster.discovery=" + means.discovery(voters),
                "--set",
                "barnabas.cluster.address=" + means.address(node)));
        return command;
    }

    /** Where a node's member listens, host:port. */
    String address(Place node) {
        return means.address(node);
    }

    /** Who is in the grid, as a node has seen it last. */
    static List<Integer> membersSeenBy(Node node) {
        Matcher lines = OLDEST_FIRST.matcher(node.outputOfThisStart());
        String last = "";
        while (lines.find()) {
            last = lines.group(1);
        }
        return Stream.of(last.split(", "))
                .filter(id -> !id.isEmpty())
                .map(Integer::valueOf)
                .toList();
    }

    /** Whether these nodes see each other, and nobody else, all in the same order. */
    static boolean seeEachOther(List<Node> nodes) {
        return nodes.stream().map(InDataGrid::membersSeenBy).distinct().count() == 1
                && membersSeenBy(nodes.get(0)).stream()
                        .sorted()
                        .toList()
                        .equals(nodes.stream().map(Node::id).sorted().toList());
    }

    /** Whether a node has been told there who votes. */
    static boolean foundVoters(Node node) {
        return node.outputOfThisStart().contains("The data grid tells who votes on metadata");
    }
}
