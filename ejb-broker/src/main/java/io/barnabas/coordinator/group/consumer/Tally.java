package io.barnabas.coordinator.group.consumer;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** How often each name is held; names held no more are gone. Confined to its owner's thread. */
final class Tally {
    private final Map<String, Integer> counts;

    Tally() {
        counts = new HashMap<>();
    }

    Tally(Tally other) {
        counts = new HashMap<>(other.counts);
    }

    void add(String name) {
        counts.merge(name, 1, Integer::sum);
    }

    void remove(String name) {
        counts.computeIfPresent(name, (n, count) -> count == 1 ? null : count - 1);
    }

    int of(String name) {
        return counts.getOrDefault(name, 0);
    }

    Set<String> names() {
        return Collections.unmodifiableSet(counts.keySet());
    }

    /** Whether every name is held exactly so often. */
    boolean allAre(int count) {
        return counts.values().stream().allMatch(held -> held == count);
    }
}
