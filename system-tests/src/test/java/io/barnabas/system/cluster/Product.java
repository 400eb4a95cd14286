package io.barnabas.system.cluster;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** A broker under test, as programs to be started. */
interface Product {
    /** As it stands in the table. */
    String name();

    /** Makes what must be there before the first start. */
    void format(List<Place> places) throws Exception;

    /** The command of a node, which stays in the foreground and keeps its pid. */
    List<String> command(Place node, List<Place> all) throws Exception;

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    static String voters(List<Place> all) {
        return all.stream().map(Place::voter).collect(Collectors.joining(","));
    }
}
