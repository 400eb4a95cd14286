package io.barnabas.partition;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * Bounds the bytes a second of one direction of copying, sent to followers or fetched from leaders, for the partitions that their topics
 * name: a reassignment shall leave room for clients (KIP-73). Who keeps pace is not held back, or the bound would throw it out of the in-sync
 * replicas: callers ask for replicas that are out of sync only, but tell of all bytes of throttled partitions.
 *
 * <p>Safe from any thread. Costs a look into an empty map while nothing is throttled.
 */
public final class ReplicationThrottle {
    /** Holds nothing back. */
    public static final ReplicationThrottle NONE =
            new ReplicationThrottle(() -> Long.MAX_VALUE, new ByteRate(new io.barnabas.time.SystemClock(), 1, 1_000));

    private final LongSupplier bytesPerSecond;
    private final ByteRate rate;
    private final LongAdder copied = new LongAdder();
    private final Map<String, Set<Integer>> throttled = new ConcurrentHashMap<>(); // partitions by topic; empty for all

    ReplicationThrottle(LongSupplier bytesPerSecond, ByteRate rate) {
        this.bytesPerSecond = bytesPerSecond;
        this.rate = rate;
    }

    /** These partitions of a topic are throttled from now on, if none are named all are. */
    void throttle(String topic, Set<Integer> partitions) {
        throttled.put(topic, Set.copyOf(partitions));
    }

    /** None of the topic's partitions is throttled from now on. */
    void release(String topic) {
        throttled.remove(topic);
    }

    /** Whether the partition is throttled, at whatever rate. */
    boolean throttles(TopicPartition partition) {
        if (throttled.isEmpty()) {
            return false;
        }
        Set<Integer> partitions = throttled.get(partition.topic());
        return partitions != null && (partitions.isEmpty() || partitions.contains(partition.partition()));
    }

    /** Whether nothing of the partition shall be copied to or by a replica that is out of sync, for now. */
    public boolean holdsBack(TopicPartition partition) {
        return throttles(partition) && rate.perSecond() > bytesPerSecond.getAsLong();
    }

    /** So many bytes of the partition were copied. */
    public void onCopied(TopicPartition partition, long bytes) {
        copied.add(bytes);
        if (throttles(partition)) {
            rate.add(bytes);
        }
    }

    /** Bytes of all partitions since start. */
    public long copiedBytes() {
        return copied.sum();
    }
}
