package io.barnabas.log;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs of which records were found damaged: while they were loaded, by who read them, or by {@link LogCheck}. Each is told of once, to the
 * operator and to who can get it whole from another broker. Safe from any thread.
 */
final class DamagedLogs {
    private static final Logger LOG = LoggerFactory.getLogger(DamagedLogs.class);

    private final Map<SegmentedLog, String> known = new LinkedHashMap<>(); // guarded by this
    private final List<BiConsumer<PartitionLog, String>> listeners = new ArrayList<>(); // guarded by this

    void add(SegmentedLog log, String what) {
        List<BiConsumer<PartitionLog, String>> toTell;
        synchronized (this) {
            if (known.putIfAbsent(log, what) != null) {
                return;
            }
            toTell = List.copyOf(listeners);
        }
        LOG.error(
                "Records are damaged, all others are served: partition={} folder={} damage={}",
                log.topicPartition(),
                log.folder().path(),
                what);
        toTell.forEach(listener -> listener.accept(log, what));
    }

    /** From now on, and of those that are known. */
    void tell(BiConsumer<PartitionLog, String> listener) {
        Map<SegmentedLog, String> before;
        synchronized (this) {
            listeners.add(listener);
            before = new LinkedHashMap<>(known);
        }
        before.forEach(listener);
    }

    /** The log is gone. */
    synchronized void forget(SegmentedLog log) {
        known.remove(log);
    }
}
