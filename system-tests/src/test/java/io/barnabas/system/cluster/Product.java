package io.barnabas.system.cluster;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A broker under test, as programs to be started. */
interface Product {
    /** As it stands in the table. */
    String name();

    /** Makes what must be there before the first start. */
    void format(List<Place> places) throws Exception;

    /** The command of a node, which stays in the foreground and keeps its pid. */
    List<String> command(Place node, List<Place> all) throws Exception;

    /** What {@code cluster.product} names, else Barnabas. */
    static Product underTest() {
        return named(System.getProperty("cluster.product", "barnabas"));
    }

    /** {@code barnabas}, with the settings of {@code cluster.settings} (KEY=VALUE, separated by ;), or {@code kafka:FOLDER_OF_JARS}. */
    static Product named(String name) {
        if (name.startsWith("kafka:")) {
            return new KafkaProduct(Path.of(name.substring("kafka:".length())).toAbsolutePath());
        }
        Map<String, String> settings = new LinkedHashMap<>();
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
