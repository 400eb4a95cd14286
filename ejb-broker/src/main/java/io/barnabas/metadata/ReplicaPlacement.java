package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.metadata.PartitionRecord;

/**
 * Chooses the brokers of new partitions, and checks a choice made by hand. Leaders go round the brokers in service; followers follow
 * round the racks, so that a partition's replicas lie in as many racks as there are, and of a rack's brokers those with the fewest of the
 * new replicas; a broker out of service is given a replica only if there are not enough others.
 */
final class ReplicaPlacement {
    /** A replica whose broker has yet to choose one of its directories. */
    static final Uuid UNASSIGNED_DIRECTORY = new Uuid(0, 1);

    private final MetadataImage image;
    private final RandomGenerator random;

    ReplicaPlacement(MetadataImage image, RandomGenerator random) {
        this.image = image;
        this.random = random;
    }

    /**
     * Replicas for {@code partitions} new partitions, the preferred leader of each first.
     *
     * @throws InvalidReplicationFactorException if there are fewer brokers than replicas, or none in service
     */
    List<List<Integer>> place(int partitions, int replicationFactor) {
        List<BrokerImage> brokers = roundTheRacks();
        List<BrokerImage> inService = brokers.stream().filter(b -> !b.fenced()).toList();
        if (inService.isEmpty()) {
            throw new InvalidReplicationFactorException(
                    "All brokers are currently fenced, or have all their log directories cordoned.");
        }
        if (replicationFactor > brokers.size()) {
            throw new InvalidReplicationFactorException("The target replication factor of " + replicationFactor
                    + " cannot be reached because only " + brokers.size()
                    + " broker(s) are registered or some brokers have all their log directories cordoned.");
        }
        int start = random.nextInt(inService.size());
        Map<Integer, Integer> load =
                new HashMap<>(); // replicas by broker, with the leaders to come: those are not to be chosen
        for (int p = 0; p < partitions; p++) {
            load.merge(inService.get((start + p) % inService.size()).id(), 1, Integer::sum);
        }
        List<List<Integer>> placed = new ArrayList<>(partitions);
        for (int p = 0; p < partitions; p++) {
            BrokerImage leader = inService.get((start + p) % inService.size());
            int shift = (start + p) / inService.size();
            placed.add(withFollowers(leader, inTurn(brokers, leader, shift), replicationFactor, load));
        }
        return placed;
    }

    /** The others, beginning behind the leader, and a place further in each round. */
    private static List<BrokerImage> inTurn(List<BrokerImage> brokers, BrokerImage leader, int shift) {
        List<BrokerImage> others = new ArrayList<>();
        int at = brokers.indexOf(leader);
        for (int i = 1; i < brokers.size(); i++) {
            others.add(brokers.get((at + i) % brokers.size()));
        }
        if (!others.isEmpty()) {
            Collections.rotate(others, -(shift % others.size()));
        }
        return others;
    }

    private static List<Integer> withFollowers(
            BrokerImage leader, List<BrokerImage> others, int replicationFactor, Map<Integer, Integer> load) {
        List<Integer> replicas = new ArrayList<>(replicationFactor);
        Set<Optional<String>> racks = new HashSet<>();
        replicas.add(leader.id());
        racks.add(rack(leader));
        List<Optional<String>> turns =
                others.stream().map(ReplicaPlacement::rack).distinct().toList();
        Comparator<BrokerImage> order = Comparator.<BrokerImage, Boolean>comparing(b -> racks.contains(rack(b)))
                .thenComparing(BrokerImage::fenced)
                .thenComparing(b -> turns.indexOf(rack(b)));
        if (!racks.containsAll(turns)) { // else the turns alone are even, also of who is next to lead
            order = order.thenComparing(b -> load.getOrDefault(b.id(), 0));
        }
        while (replicas.size() < replicationFactor) {
            BrokerImage next = others.stream()
                    .filter(b -> !replicas.contains(b.id()))
                    .min(order)
                    .orElseThrow();
            replicas.add(next.id());
            racks.add(rack(next));
            load.merge(next.id(), 1, Integer::sum);
        }
        return replicas;
    }

    private static Optional<String> rack(BrokerImage broker) {
        return Optional.ofNullable(broker.rack());
    }

    /** All brokers that take replicas: the first of each rack, the second of each, and so on. */
    private List<BrokerImage> roundTheRacks() {
        Map<String, List<BrokerImage>> racks = new TreeMap<>();
        image.brokers().stream()
                .filter(b -> !b.isCordoned())
                .sorted(Comparator.comparingInt(BrokerImage::id))
                .forEach(b -> racks.computeIfAbsent(rack(b).orElse(""), r -> new ArrayList<>())
                        .add(b));
        List<BrokerImage> brokers = new ArrayList<>();
        long count = racks.values().stream().mapToInt(List::size).sum();
        for (int i = 0; brokers.size() < count; i++) {
            for (List<BrokerImage> rack : racks.values()) {
                if (i < rack.size()) {
                    brokers.add(rack.get(i));
                }
            }
        }
        return brokers;
    }

    /**
     * Checks replicas that were chosen by hand.
     *
     * @param replicationFactor what other partitions of the topic have
     * @throws InvalidReplicaAssignmentException if they cannot be
     */
    void check(List<Integer> replicas, OptionalInt replicationFactor) {
        if (replicas.isEmpty()) {
            throw new InvalidReplicaAssignmentException(
                    "The manual partition assignment includes an empty replica list.");
        }
        Set<Integer> seen = new HashSet<>();
        for (int id : new TreeSet<>(replicas)) {
            BrokerImage broker = image.broker(id)
                    .orElseThrow(() ->
                            new InvalidReplicaAssignmentException("The manual partition assignment includes broker "
                                    + id + ", but no such broker is registered."));
            if (broker.isCordoned()) {
                throw new InvalidReplicaAssignmentException("The manual partition assignment includes broker " + id
                        + ", but all its log directories are cordoned.");
            }
        }
        for (int id : replicas) {
            if (!seen.add(id)) {
                throw new InvalidReplicaAssignmentException(
                        "The manual partition assignment includes the broker " + id + " more than once.");
            }
        }
        if (replicationFactor.isPresent() && replicas.size() != replicationFactor.getAsInt()) {
            throw new InvalidReplicaAssignmentException("The manual partition assignment includes a partition with "
                    + replicas.size() + " replica(s), but this is not consistent with previous partitions, which have "
                    + replicationFactor.getAsInt() + " replica(s).");
        }
    }

    /** Whether a broker may lead and be in sync: registered, in service and not about to leave. */
    boolean isActive(int id) {
        return image.broker(id)
                .filter(b -> !b.fenced() && !b.inControlledShutdown())
                .isPresent();
    }

    /** The record of a new partition, which {@code isr.get(0)} leads. */
    PartitionRecord record(Uuid topicId, int partition, List<Integer> replicas, List<Integer> isr) {
        return new PartitionRecord()
                .setTopicId(topicId)
                .setPartitionId(partition)
                .setReplicas(replicas)
                .setIsr(isr)
                .setLeader(isr.get(0))
                .setLeaderEpoch(0)
                .setPartitionEpoch(0)
                .setDirectories(replicas.stream().map(this::directory).toList());
    }

    /** Where a new replica goes: the broker's directory if it has one only, else it chooses itself. */
    Uuid directory(int broker) {
        return image.broker(broker)
                .filter(b -> b.logDirs().size() == 1)
                .map(b -> b.logDirs().get(0))
                .orElse(UNASSIGNED_DIRECTORY);
    }
}
