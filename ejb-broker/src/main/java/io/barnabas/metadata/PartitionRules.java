package io.barnabas.metadata;

import io.barnabas.config.LiveConfig;
import io.barnabas.config.SettingsTable;
import io.barnabas.config.TopicSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * What follows for partitions when a broker comes, goes or loses records, and the beginning of every other {@link PartitionChange}:
 * joins the image, which tells who is in service, with the topics' settings. Pure, but for the configuration. Safe from any thread.
 */
public final class PartitionRules {
    /** Name of the feature of eligible leader replicas (KIP-966). */
    public static final String ELIGIBLE_LEADERS = "eligible.leader.replicas.version";

    private static final String MIN_IN_SYNC = "min.insync.replicas";
    private static final Uuid MIGRATING_DIRECTORY = new Uuid(0, 0);
    /** Of a replica that its broker has given up: its records are damaged, or gone (KIP-858). */
    static final Uuid LOST_DIRECTORY = new Uuid(0, 2);

    private static final long RESERVED_DIRECTORIES = 100;

    private final LiveConfig config;

    /** Rules under this broker's configuration, for topics that do not set their own. */
    public PartitionRules(LiveConfig config) {
        this.config = config;
    }

    /** The beginning of a change of one partition. */
    PartitionChange change(MetadataImage image, TopicImage topic, PartitionImage partition) {
        return change(image, topic, partition, online(image, partition, active(image)));
    }

    private static IntPredicate online(MetadataImage image, PartitionImage partition, IntPredicate active) {
        return id -> active.test(id) && isOnline(image, id, directory(partition, id));
    }

    private PartitionChange change(
            MetadataImage image, TopicImage topic, PartitionImage partition, IntPredicate mayLead) {
        return new PartitionChange(
                topic.id(),
                partition,
                new PartitionChange.Terms(
                        mayLead, minInSync(image, topic), keepsEligible(image), id -> newDirectory(image, id)));
    }

    /** A broker goes: it leaves the in-sync replicas of all that it has and leads nothing. Records are added for each. */
    void onDeparture(MetadataImage image, int broker, List<ApiMessage> records) {
        onDeparture(image, broker, partition -> true, records);
    }

    /** The same for some of its partitions only. */
    void onDeparture(MetadataImage image, int broker, Predicate<PartitionImage> which, List<ApiMessage> records) {
        IntPredicate others = active(image).and(id -> id != broker);
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                if ((partition.isr().contains(broker) || partition.leader() == broker) && which.test(partition)) {
                    change(image, topic, partition, online(image, partition, others))
                            .without(broker)
                            .uncleanIf(uncleanElection(image, topic))
                            .decide()
                            .ifPresent(records::add);
                }
            }
        }
    }

    /** The beginning of a change of a broker's replica; if that is {@code lost}, it is given up. */
    PartitionChange placed(MetadataImage image, TopicImage topic, PartitionImage partition, int broker, boolean lost) {
        if (!lost) {
            return change(image, topic, partition);
        }
        IntPredicate others = active(image).and(id -> id != broker);
        return change(image, topic, partition, online(image, partition, others))
                .without(broker)
                .uncleanIf(uncleanElection(image, topic));
    }

    /**
     * A broker gives its replica up, since records of it are damaged, and will have them all again from the leader. Only if nobody depends
     * on it: as many others must be in sync and in service as are needed for acknowledged records to stay so and new ones to be taken.
     * It is neither in sync nor eligible then, which a copy without records must not be, and a new leader epoch begins: what the leader
     * knows of where the old copy was says nothing of the new one.
     *
     * @return the change, or nothing if the replica is needed
     */
    Optional<PartitionChange> givenUp(MetadataImage image, TopicImage topic, PartitionImage partition, int broker) {
        IntPredicate others = online(image, partition, active(image).and(id -> id != broker));
        long inSync = partition.isr().stream().filter(others::test).count();
        int spared = partition.replicas().size() - 1;
        boolean counts = partition.isr().contains(broker) || partition.elr().contains(broker);
        if (inSync < (counts ? Math.max(1, Math.min(minInSync(image, topic), spared)) : 1)) {
            return Optional.empty();
        }
        return Optional.of(change(image, topic, partition, others)
                .withoutUnclean(broker)
                .withNewEpoch()
                .toDirectory(broker, LOST_DIRECTORY));
    }

    /** Whether a broker's replica is given up and nobody depends on it: its records may go. */
    public static boolean isGivenUp(PartitionImage partition, int broker) {
        return hasGivenUp(partition, broker)
                && partition.leader() >= 0
                && partition.leader() != broker
                && !partition.isr().contains(broker)
                && !partition.elr().contains(broker);
    }

    static boolean hasGivenUp(PartitionImage partition, int broker) {
        return directory(partition, broker).equals(LOST_DIRECTORY);
    }

    /** A broker has come into service: what has no leader may be led by it. Records are added for each. */
    void onArrival(MetadataImage image, int broker, List<ApiMessage> records) {
        IntPredicate withIt = active(image).or(id -> id == broker);
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                if (partition.leader() < 0 && partition.replicas().contains(broker)) {
                    change(image, topic, partition, online(image, partition, withIt))
                            .uncleanIf(uncleanElection(image, topic))
                            .decide()
                            .ifPresent(records::add);
                }
            }
        }
    }

    /**
     * A broker begins anew, fenced: what it had in sync it gives up, and what it may have lost records of it is not eligible for either:
     * all of it, or what was in a directory that it has no longer.
     * Where it is the only broker of the cluster there is nobody to give it to; then it keeps what it leads, in a new epoch if it may
     * have lost records (KIP-320), and a start costs no change of each partition.
     *
     * @param unclean whether it may have lost records
     * @param logDirs the directories it has: replicas in others are in its only one from now on, or in one it has yet to choose
     */
    void onRestart(MetadataImage image, int broker, boolean unclean, List<Uuid> logDirs, List<ApiMessage> records) {
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                if (partition.replicas().contains(broker)) {
                    boolean lost = hasLost(partition, broker, logDirs);
                    PartitionChange change = isAlone(image, broker)
                            ? ofLonely(image, topic, partition, unclean && partition.leader() == broker)
                            : ofRestarted(image, topic, partition, broker, unclean || lost);
                    if (lost) {
                        change.withoutDisk(broker);
                    }
                    moved(partition, broker, logDirs, change);
                    change.decide().ifPresent(records::add);
                }
            }
        }
    }

    private PartitionChange ofLonely(
            MetadataImage image, TopicImage topic, PartitionImage partition, boolean newEpoch) {
        PartitionChange change = change(image, topic, partition, id -> id == partition.leader());
        return newEpoch ? change.withNewEpoch() : change;
    }

    private PartitionChange ofRestarted(
            MetadataImage image, TopicImage topic, PartitionImage partition, int broker, boolean unclean) {
        IntPredicate others = active(image).and(id -> id != broker);
        PartitionChange change = change(image, topic, partition, online(image, partition, others))
                .uncleanIf(uncleanElection(image, topic));
        return unclean && keepsEligible(image) ? change.withoutUnclean(broker) : change.without(broker);
    }

    private static boolean hasLost(PartitionImage partition, int broker, List<Uuid> logDirs) {
        Uuid known = directory(partition, broker);
        return !isReserved(known) && !logDirs.contains(known);
    }

    private static void moved(PartitionImage partition, int broker, List<Uuid> logDirs, PartitionChange change) {
        Uuid known = directory(partition, broker);
        if (!logDirs.contains(known)) {
            change.toDirectory(broker, logDirs.size() == 1 ? logDirs.get(0) : ReplicaPlacement.UNASSIGNED_DIRECTORY);
        }
    }

    /** Whether no other broker is registered. */
    static boolean isAlone(MetadataImage image, int broker) {
        return image.brokers().stream().allMatch(b -> b.id() == broker);
    }

    /** Who may be in sync and lead: who is in service and not about to leave, or alone. */
    static IntPredicate active(MetadataImage image) {
        boolean lonely = image.brokers().size() == 1;
        return id -> image.broker(id)
                .filter(b -> lonely || (!b.fenced() && !b.inControlledShutdown()))
                .isPresent();
    }

    private static boolean isOnline(MetadataImage image, int broker, Uuid directory) {
        if (directory.equals(ReplicaPlacement.UNASSIGNED_DIRECTORY) || directory.equals(MIGRATING_DIRECTORY)) {
            return true;
        }
        return !directory.equals(LOST_DIRECTORY)
                && image.broker(broker)
                        .filter(b -> b.logDirs().isEmpty() || b.logDirs().contains(directory))
                        .isPresent();
    }

    /** Where a broker's replica is. */
    static Uuid directory(PartitionImage partition, int broker) {
        int at = partition.replicas().indexOf(broker);
        return at >= 0 && at < partition.directories().size()
                ? partition.directories().get(at)
                : ReplicaPlacement.UNASSIGNED_DIRECTORY;
    }

    /** Whether an id stands for no directory, or for one that is not known. */
    static boolean isReserved(Uuid directory) {
        return directory.getMostSignificantBits() == 0 && directory.getLeastSignificantBits() < RESERVED_DIRECTORIES;
    }

    private static Uuid newDirectory(MetadataImage image, int broker) {
        return image.broker(broker)
                .filter(b -> b.logDirs().size() == 1)
                .map(b -> b.logDirs().get(0))
                .orElse(ReplicaPlacement.UNASSIGNED_DIRECTORY);
    }

    /** Whether the feature of eligible leader replicas is on. */
    static boolean keepsEligible(MetadataImage image) {
        return image.features().getOrDefault(ELIGIBLE_LEADERS, (short) 0) > 0;
    }

    /**
     * Eligible leaders are those who were in sync when fewer than {@code min.insync.replicas} were: with another number that says
     * nothing more of them. Partitions without any in-sync replica keep theirs, there is nobody who could have gone on, and so do those
     * whose number stays what it was. Records are added for what the config records among {@code records} change.
     */
    static void onMinInSyncChange(MetadataImage image, List<ApiMessage> records) {
        List<ApiMessage> cleared = new ArrayList<>();
        for (ApiMessage record : records) {
            if (record instanceof ConfigRecord config
                    && config.name().equals(MIN_IN_SYNC)
                    && !Objects.equals(config.value(), numberOf(image, config))) {
                boolean ofOne = config.resourceType() == ConfigResource.Type.TOPIC.id();
                image.topics().stream()
                        .filter(topic -> ofOne ? topic.name().equals(config.resourceName()) : !hasOwn(image, topic))
                        .forEach(topic -> clear(topic, cleared));
            }
        }
        records.addAll(cleared.stream().distinct().toList());
    }

    private static @Nullable String numberOf(MetadataImage image, ConfigRecord changed) {
        ConfigResource.Type type = ConfigResource.Type.forId(changed.resourceType());
        return image.config(new ConfigResource(type, changed.resourceName())).get(MIN_IN_SYNC);
    }

    private static boolean hasOwn(MetadataImage image, TopicImage topic) {
        return image.config(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()))
                .containsKey(MIN_IN_SYNC);
    }

    private static void clear(TopicImage topic, List<ApiMessage> cleared) {
        for (PartitionImage partition : topic.partitions()) {
            if (!partition.elr().isEmpty() && !partition.isr().isEmpty()) {
                cleared.add(new PartitionChangeRecord()
                        .setTopicId(topic.id())
                        .setPartitionId(partition.partition())
                        .setEligibleLeaderReplicas(List.of()));
            }
        }
    }

    /**
     * The feature of eligible leaders begins: from now on the number that must be in sync is one of the metadata, the same for leaders and
     * controller. Records are added for it, unless there is one, and against those of single brokers.
     *
     * @param configured in this node's file
     */
    static void onEligibleLeadersBegin(MetadataImage image, int configured, List<ApiMessage> records) {
        if (!image.config(new ConfigResource(ConfigResource.Type.BROKER, "")).containsKey(MIN_IN_SYNC)) {
            records.add(minInSyncRecord("", Integer.toString(configured)));
        }
        image.configResources().stream()
                .filter(resource -> resource.type() == ConfigResource.Type.BROKER
                        && !resource.name().isEmpty()
                        && image.config(resource).containsKey(MIN_IN_SYNC))
                .map(ConfigResource::name)
                .sorted()
                .forEach(broker -> records.add(minInSyncRecord(broker, null)));
    }

    private static ConfigRecord minInSyncRecord(String broker, @Nullable String value) {
        return new ConfigRecord()
                .setResourceType(ConfigResource.Type.BROKER.id())
                .setResourceName(broker)
                .setName(MIN_IN_SYNC)
                .setValue(value);
    }

    /**
     * Leader and controller must mean the same number.
     *
     * @param changed keys with their new values, null for none
     * @throws InvalidConfigurationException if one broker shall have a number of its own, or there shall be none for all
     */
    static void checkMinInSync(MetadataImage image, ConfigResource resource, Map<String, @Nullable String> changed) {
        if (resource.type() != ConfigResource.Type.BROKER
                || !changed.containsKey(MIN_IN_SYNC)
                || !keepsEligible(image)) {
            return;
        }
        if (!resource.name().isEmpty()) {
            throw new InvalidConfigurationException(
                    "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
        }
        if (changed.get(MIN_IN_SYNC) == null) {
            throw new InvalidConfigurationException(
                    "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
        }
    }

    /** A topic's {@code min.insync.replicas}. */
    int minInSync(MetadataImage image, TopicImage topic) {
        return value(image, topic, MIN_IN_SYNC) instanceof Integer number ? number : 1;
    }

    /** Whether a topic prefers any leader to none. */
    boolean uncleanElection(MetadataImage image, TopicImage topic) {
        return Boolean.TRUE.equals(value(image, topic, "unclean.leader.election.enable"));
    }

    private @Nullable Object value(MetadataImage image, TopicImage topic, String key) {
        @Nullable
        String override = image.config(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()))
                .get(key);
        return override != null
                ? SettingsTable.TOPIC.parse(key, override)
                : TopicSettings.brokerDefault(
                        config.current(), Objects.requireNonNull(SettingsTable.TOPIC.setting(key)));
    }
}
