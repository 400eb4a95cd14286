package io.barnabas.metadata;

import io.barnabas.time.AgreedClock;
import io.barnabas.time.Clock;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * What time it is, by the majority of the nodes, brokers and such that only vote: each tells its machine's time with its heartbeats, and
 * hears with the answer what most of them have, be it the controller's own or not. Where no majority has about the same time, nothing is
 * said. Soft state of the controller's node, by its monotonic clock: no safety rule stands on it, it only keeps a clock that is years off
 * from doing harm ({@link AgreedClock}).
 *
 * <p>The times travel in a tagged field of the heartbeat, which no other broker knows or minds. Safe from any thread.
 */
final class BrokerClocks {
    private static final int TAG = 10_000;

    private final Clock clock;
    private final Map<Integer, Long> origins = new HashMap<>(); // wall time at the monotonic clock's origin, by node

    BrokerClocks(Clock clock) {
        this.clock = clock;
    }

    /**
     * Takes what a node says, if it says anything.
     *
     * @param nodes all that have a say; others are forgotten
     */
    synchronized void onHeard(int node, List<RawTaggedField> request, Set<Integer> nodes) {
        origins.keySet().retainAll(nodes);
        OptionalLong wallMs = read(request);
        if (wallMs.isPresent() && nodes.contains(node)) {
            origins.put(node, wallMs.getAsLong() - clock.monotonicMillis());
        }
    }

    /**
     * The time that more than half of the nodes have, within a tolerance.
     *
     * @param nodes how many have a say, whether they were heard or not
     */
    synchronized OptionalLong agreed(int nodes) {
        for (long origin : origins.values()) {
            long[] near = origins.values().stream()
                    .mapToLong(Long::longValue)
                    .filter(other -> Math.abs(other - origin) <= AgreedClock.TOLERANCE_MS)
                    .sorted()
                    .toArray();
            if (2 * near.length > nodes) {
                return OptionalLong.of(near[(near.length - 1) / 2] + clock.monotonicMillis());
            }
        }
        return OptionalLong.empty();
    }

    /** Puts a time into a message. */
    static void write(List<RawTaggedField> fields, long wallMs) {
        fields.removeIf(field -> field.tag() == TAG);
        fields.add(new RawTaggedField(
                TAG, ByteBuffer.allocate(Long.BYTES).putLong(wallMs).array()));
    }

    /** The time that a message brings. */
    static OptionalLong read(List<RawTaggedField> fields) {
        return fields.stream()
                .filter(field -> field.tag() == TAG && field.size() == Long.BYTES)
                .mapToLong(field -> ByteBuffer.wrap(field.data()).getLong())
                .findFirst();
    }
}
