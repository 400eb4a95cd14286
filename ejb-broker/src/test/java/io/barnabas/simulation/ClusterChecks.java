package io.barnabas.simulation;

import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.log.PartitionLog;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.partition.LocalPartition;
import io.barnabas.simulation.ReplicaReader.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What must be so of every partition of a simulated cluster, at any time and at the end. What is below a high watermark anywhere is
 * the same everywhere and for ever (I10), in the order and the number that its producer sent it; high watermarks do not go back within the
 * life of a log, and nobody who may be elected lacks what is below one (I8); an epoch has one leader (I6).
 */
final class ClusterChecks {
    private final SimulatedCluster cluster;
    private final Map<TopicPartition, History> histories = new HashMap<>();
    private final Map<PartitionLog, Long> highWatermarks = new IdentityHashMap<>();

    ClusterChecks(SimulatedCluster cluster) {
        this.cluster = cluster;
        cluster.partitions.forEach(partition -> histories.put(partition, new History(partition)));
    }

    /** What has been shown of a partition. */
    private static final class History {
        private final boolean ofUsers;
        private final List<Entry> exposed = new ArrayList<>(); // by offset
        private final TreeMap<Long, String> acknowledged = new TreeMap<>();
        private final Map<Integer, Integer> leaders = new HashMap<>(); // by epoch
        private final Map<String, Integer> numbers = new HashMap<>(); // the last of each producer

        History(TopicPartition partition) {
            ofUsers = partition.topic().equals(SimulatedCluster.TOPIC);
        }
    }

    /** The value that a producer sends as its {@code number}-th to a partition. */
    static String value(String producer, int number) {
        return producer + "#" + number;
    }

    static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    private static void requireElse(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise.get());
        }
    }

    private History history(TopicPartition partition) {
        History history = histories.get(partition);
        if (history == null) {
            throw new IllegalArgumentException("no partition " + partition);
        }
        return history;
    }

    /** A producer has been told that its record is there for good. */
    void onAcknowledged(TopicPartition partition, long offset, String value) {
        String before = history(partition).acknowledged.putIfAbsent(offset, value);
        require(
                before == null || before.equals(value),
                partition + "/" + offset + " was acknowledged for " + before + " and for " + value);
    }

    int acknowledged() {
        return histories.values().stream()
                .mapToInt(history -> history.acknowledged.size())
                .sum();
    }

    // ---- at any time

    void check() {
        for (TopicPartition partition : cluster.partitions) {
            for (SimulatedBroker broker : cluster.brokers.values()) {
                LocalPartition local = present(broker, partition);
                if (local != null) {
                    check(broker, local);
                }
            }
            checkMembers(partition);
        }
    }

    private static @Nullable LocalPartition present(SimulatedBroker broker, TopicPartition partition) {
        LocalPartition local = broker.alive() ? broker.partition(partition) : null;
        return local != null && local.online() ? local : null;
    }

    private void check(SimulatedBroker broker, LocalPartition local) {
        TopicPartition partition = local.topicPartition();
        Supplier<String> where = () -> "broker " + broker.id() + " of " + partition + ": ";
        long from = highWatermarks.getOrDefault(local.log(), 0L);
        long to = local.highWatermark();
        requireElse(to >= from, () -> where.get() + "the high watermark went back from " + from + " to " + to);
        requireElse(
                to <= local.log().logEndOffset(),
                () -> where.get() + "the high watermark " + to + " is beyond the end "
                        + local.log().logEndOffset());
        History history = history(partition);
        if (to > from) {
            ReplicaReader.read(local.log(), from, to).forEach(entry -> expose(history, entry, where));
            highWatermarks.put(local.log(), to);
        }
        if (local.leads()) {
            Integer other = history.leaders.putIfAbsent(local.leaderEpoch(), broker.id());
            requireElse(
                    other == null || other == broker.id(),
                    () -> where.get() + "leads in epoch " + local.leaderEpoch() + " as does " + other);
        }
    }

    private static void expose(History history, Entry entry, Supplier<String> where) {
        int at = (int) entry.offset();
        if (at < history.exposed.size()) {
            Entry before = history.exposed.get(at);
            requireElse(before.equals(entry), () -> where.get() + "shows " + entry + " where " + before + " was");
            return;
        }
        requireElse(at == history.exposed.size(), () -> where.get() + "lacks offset " + history.exposed.size());
        if (at > 0) {
            Entry previous = history.exposed.get(at - 1);
            requireElse(
                    previous.epoch() <= entry.epoch(), () -> where.get() + entry + " was written after " + previous);
        }
        String promised = history.acknowledged.get(entry.offset());
        requireElse(
                promised == null || promised.equals(entry.value()),
                () -> where.get() + "shows " + entry + " where " + promised + " was acknowledged");
        history.exposed.add(entry);
        int hash = entry.value().indexOf('#');
        if (history.ofUsers && !entry.control() && hash > 0) {
            String producer = entry.value().substring(0, hash);
            int number = Integer.parseInt(entry.value().substring(hash + 1));
            Integer last = history.numbers.put(producer, number);
            requireElse(
                    number == (last == null ? 0 : last + 1),
                    () -> where.get() + entry + " follows number " + last + " of its producer");
        }
    }

    /** Whoever may lead next has what is committed, and what was acknowledged. */
    private void checkMembers(TopicPartition partition) {
        PartitionImage image = cluster.committed(partition);
        long must = leastEnd(partition, image);
        List<Integer> eligible = new ArrayList<>(image.isr());
        eligible.addAll(image.elr());
        for (int id : eligible) {
            LocalPartition member = cluster.isPresent(id) ? present(cluster.broker(id), partition) : null;
            if (member != null) {
                long end = member.log().logEndOffset();
                requireElse(
                        end >= must,
                        () -> "broker " + id + " of " + partition + " may be elected and ends at " + end
                                + ", committed is " + must + "; " + image);
            }
        }
    }

    private long leastEnd(TopicPartition partition, PartitionImage image) {
        TreeMap<Long, String> acknowledged = history(partition).acknowledged;
        long least = acknowledged.isEmpty() ? 0 : acknowledged.lastKey() + 1;
        LocalPartition leader = image.leader() >= 0 && cluster.isPresent(image.leader())
                ? present(cluster.broker(image.leader()), partition)
                : null;
        return leader != null && leader.leads() && leader.leaderEpoch() == image.leaderEpoch()
                ? Math.max(least, leader.highWatermark())
                : least;
    }

    // ---- at the end

    /** Why the cluster is not whole, or null if it is. */
    @Nullable
    String unrest() {
        for (int id = 1; id <= SimulatedCluster.BROKERS; id++) {
            if (!cluster.isPresent(id)
                    || cluster.committed().broker(id).orElseThrow().fenced()) {
                return "broker " + id + " is not in service: alive=" + cluster.alive(id) + " "
                        + cluster.committed().broker(id);
            }
        }
        for (TopicPartition partition : cluster.partitions) {
            PartitionImage image = cluster.committed(partition);
            if (image.leader() < 0 || image.isr().size() < SimulatedCluster.BROKERS) {
                return partition + " has not recovered: " + image;
            }
            for (SimulatedBroker broker : cluster.brokers.values()) {
                String lack = lack(broker, partition);
                if (lack != null) {
                    return "broker " + broker.id() + " of " + partition + " " + lack;
                }
            }
        }
        return null;
    }

    private @Nullable String lack(SimulatedBroker broker, TopicPartition partition) {
        LocalPartition leader =
                present(cluster.broker(cluster.committed(partition).leader()), partition);
        LocalPartition local = present(broker, partition);
        if (local == null || leader == null) {
            return "is offline";
        }
        long end = leader.log().logEndOffset();
        return local.log().logEndOffset() != end || local.highWatermark() != end
                ? "ends at " + local.log().logEndOffset() + " with high watermark " + local.highWatermark()
                        + ", the leader at " + end + " with " + leader.highWatermark()
                : null;
    }

    /** The cluster is whole: all replicas are the same, and nothing that was acknowledged is lacking. */
    void checkEnd() {
        check();
        for (TopicPartition partition : cluster.partitions) {
            History history = history(partition);
            for (SimulatedBroker broker : cluster.brokers.values()) {
                LocalPartition local = present(broker, partition);
                require(local != null, "broker " + broker.id() + " lacks " + partition);
                List<Entry> all = ReplicaReader.read(local.log(), 0, local.log().logEndOffset());
                require(
                        all.equals(history.exposed),
                        "broker " + broker.id() + " has of " + partition + " " + all + ", shown was "
                                + history.exposed);
            }
            history.acknowledged.forEach((offset, value) -> require(
                    offset < history.exposed.size()
                            && history.exposed.get(offset.intValue()).value().equals(value),
                    partition + "/" + offset + " is not " + value));
        }
    }
}
