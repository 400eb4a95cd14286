package io.barnabas.coordinator.group.consumer;

import java.util.Set;

/**
 * A subscribed pattern and the topics it matched. Immutable.
 *
 * @param version index of the metadata it was matched with
 * @param timestampMs wall clock at which that began
 */
public record ResolvedRegex(Set<String> topics, long version, long timestampMs) {
    static final ResolvedRegex NONE = new ResolvedRegex(Set.of(), -1, -1);
}
