package io.barnabas.system.cluster;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/** Barnabas, but for what a test has its nodes be told. */
abstract class Variant implements Product {
    private final BarnabasProduct each;

    /** @param settings for every node, beside its own */
    Variant(Map<String, String> settings) {
        each = new BarnabasProduct(settings);
    }

    /** As it would be. */
    final List<String> usual(Place node, List<Place> all) {
        return each.command(node, all);
    }

    @Override
    public final String name() {
        return each.name();
    }

    @Override
    public final void format(List<Place> places) {
        each.format(places);
    }

    @Override
    public final void formatAgain(Place node) {
        each.formatAgain(node);
    }

    @Override
    public final Map<String, String> forced() {
        return each.forced();
    }

    @Override
    public final Map<String, String> forcedEverywhere() {
        return each.forcedEverywhere();
    }

    @Override
    public final boolean votes(Cluster cluster, Node node) throws ExecutionException, InterruptedException {
        return each.votes(cluster, node);
    }
}
