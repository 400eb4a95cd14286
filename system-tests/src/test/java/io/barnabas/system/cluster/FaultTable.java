package io.barnabas.system.cluster;

import io.barnabas.system.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A program: plays faults on a cluster of three and prints a row for each, so that Barnabas and Apache Kafka can be put side by side.
 *
 * <pre>FaultTable [barnabas|kafka:FOLDER_OF_JARS] [nodes] [rate] [FAULT[:times] …]</pre>
 *
 * Without faults it plays those of processes, with {@code ALL} every one, and tells which cannot be made here; those of the network need one of their own, which it makes for itself where the machine
 * allows it. {@code barnabas.jar} names the jar, {@code cluster.settings} more settings for its nodes (KEY=VALUE, separated by ;), and
 * {@code cluster.directory} where the nodes live. With {@code cluster.tests} a row is held to its bound in time, too.
 */
final class FaultTable {
    /** The exit code where a fault of the network cannot be made. */
    static final int NO_NETWORK = 77;

    private static final boolean TIMED = Boolean.getBoolean("cluster.tests");

    private FaultTable() {}

    /** A fault and how often it is to come. */
    private record Turn(Fault fault, int times) {
        static Turn of(String text) {
            String[] parts = text.split(":");
            return new Turn(
                    Fault.valueOf(parts[0].toUpperCase(Locale.ROOT)),
                    parts.length > 1 ? Integer.parseInt(parts[1]) : 1);
        }
    }

    /** Prints the header and a row for each fault; ends with 1 if one has a flaw. */
    public static void main(String[] args) throws Exception {
        List<Turn> turns = args.length > 3
                ? Arrays.stream(args).skip(3).flatMap(FaultTable::turns).toList()
                : Fault.OF_PROCESSES.stream().map(fault -> new Turn(fault, 1)).toList();
        Set<Need> needs = EnumSet.noneOf(Need.class);
        turns.forEach(turn -> needs.addAll(turn.fault().needs()));
        boolean mix = turns.stream().anyMatch(turn -> turn.fault() == Fault.MIX);
        if (mix) {
            needs.addAll(EnumSet.allOf(Need.class)); // what can be had of them
        }
        if (needs.contains(Need.NETWORK) && !CutNetwork.inside()) {
            int status = again(args);
            if (status != NO_NETWORK || turns.stream().allMatch(turn -> Fault.OF_NETWORK.contains(turn.fault()))) {
                System.exit(status);
            }
        }
        int nodes = Integer.parseInt(args[1]);
        Network network =
                needs.contains(Need.NETWORK) && CutNetwork.inside() ? CutNetwork.make(nodes) : Network.loopback();
        Map<Need, String> missing = new EnumMap<>(Need.class);
        needs.forEach(need -> need.missing().ifPresent(why -> missing.put(need, why)));
        needs.removeAll(missing.keySet());
        System.out.println("seed " + Scene.SEED);
        Map<String, String> settings = mix ? Workload.SETTINGS : Map.of();
        boolean flawless = true;
        try (Cluster cluster = Cluster.start(Product.named(args[0], settings), network, needs, directory(), nodes)) {
            System.out.println(Scene.Outcome.HEADER);
            for (Turn turn : turns) {
                Optional<Need> lacking = turn.fault().needs().stream()
                        .filter(missing::containsKey)
                        .findFirst();
                if (lacking.isPresent()) {
                    System.out.println("skipped: " + turn.fault().title() + ": " + missing.get(lacking.get()));
                    continue;
                }
                Scene.Outcome outcome;
                try {
                    outcome = Scene.play(cluster, turn.fault(), turn.times(), Integer.parseInt(args[2]));
                } catch (AssertionError | IllegalStateException e) {
                    System.out.println("| " + cluster.product().name() + " | "
                            + turn.fault().title() + " | not borne: "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + " |");
                    flawless = false;
                    cluster.revive();
                    continue;
                }
                System.out.println(outcome);
                if (outcome.verdict().failure() != null) {
                    System.out.println(
                            "first send given up: " + outcome.verdict().failure());
                }
                boolean late = TIMED && !outcome.inTime();
                if (late) {
                    System.out.println("too late: bound " + turn.fault().bound());
                }
                flawless &= outcome.flawless() && !late;
            }
        }
        System.exit(flawless ? 0 : 1);
    }

    private static Stream<Turn> turns(String name) {
        return name.equals("ALL")
                ? Arrays.stream(Fault.values()).map(fault -> new Turn(fault, fault == Fault.DAMAGE ? Damage.ALL : 1))
                : Stream.of(Turn.of(name));
    }

    private static Path directory() throws Exception {
        String named = System.getProperty("cluster.directory");
        return named == null
                ? Files.createTempDirectory("cluster-")
                : Files.createDirectories(Path.of(named).toAbsolutePath());
    }

    /** The same in a network of its own. */
    private static int again(String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(Product.java()));
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("cluster.")
                        || name.startsWith("barnabas.")
                        || name.startsWith("java.util.logging."))
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FaultTable.class.getName()));
        command.addAll(List.of(args));
        List<String> whole = CutNetwork.enter(command);
        if (whole.isEmpty()) {
            System.err.println("a network of one's own (unshare, ip, veth, rules of routing) is not allowed here");
            return NO_NETWORK;
        }
        return new ProcessBuilder(whole).inheritIO().start().waitFor();
    }
}
