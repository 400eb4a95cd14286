package io.barnabas.system.cluster;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A broker under test, as programs to be started. */
interface Product {
    /** Every node looks so often what is too old to be kept. */
    String RETENTION_CHECK_MS = "1000";

    /** How many of so many nodes are brokers. */
    default int brokers(int nodes) {
        return nodes;
    }

    /** As it stands in the table. */
    String name();

    /** Makes what must be there before the first start. */
    void format(List<Place> places) throws Exception;

    /** Makes what must be there before a node of a cluster starts that has lost all its data. */
    void formatAgain(Place node) throws Exception;

    /** Settings of a topic whose acknowledged records bear the loss of power of all nodes. */
    Map<String, String> forced();

    /** Settings of all brokers by which the acknowledged records of every topic bear it. */
    Map<String, String> forcedEverywhere();

    /** Whether a node that has lost its data votes on metadata again; does what an operator has to do for it. */
    boolean votes(Cluster cluster, Node node) throws ExecutionException, InterruptedException;

    /** Whether a node finds out which of its records are damaged and has them again from the others. */
    default boolean mends() {
        return true;
    }

    /** The command of a node, which stays in the foreground and keeps its pid. */
    List<String> command(Place node, List<Place> all) throws Exception;

    /** What {@code cluster.product} names, else Barnabas. */
    static Product underTest() {
        return named(System.getProperty("cluster.product", "barnabas"));
    }

    /** {@code barnabas}, with the settings of {@code cluster.settings} (KEY=VALUE, separated by ;), or {@code kafka:FOLDER_OF_JARS}. */
    static Product named(String name) {
        return named(name, Map.of());
    }

    /** The same with settings that both know. */
    static Product named(String name, Map<String, String> more) {
        if (name.startsWith("kafka:")) {
            return new KafkaProduct(Path.of(name.substring("kafka:".length())).toAbsolutePath(), more);
        }
        Map<String, String> settings = new LinkedHashMap<>(more);
        Stream.of(System.getProperty("cluster.settings", "").split(";"))
                .filter(setting -> setting.contains("="))
                .forEach(setting -> settings.put(
                        setting.substring(0, setting.indexOf('=')), setting.substring(setting.indexOf('=') + 1)));
        return new BarnabasProduct(settings);
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    static String voters(List<Place> all) {
        return all.stream().map(Place::voter).collect(Collectors.joining(","));
    }
}
