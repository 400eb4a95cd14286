package io.barnabas.partition;

import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogManager;
import io.barnabas.log.PartitionLog;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.PartitionRules;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalPartition.Transition;
import io.barnabas.time.SystemClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the metadata image: opens, reconfigures and deletes this broker's logs and tells coordinators of leadership.
 *
 * <p>Threads: changes come one at a time, on a thread that follows the metadata's ({@link io.barnabas.metadata.TrailingMetadata}); disk
 * work goes to the workers and is waited for, so that who comes after the partitions finds them as the metadata are, or offline.
 * Directory failures come on a worker and moves on a thread of the log, in between: they must not wait for the changes, which wait for
 * workers. So who gives a partition a log looks afterwards whether its directory is still online, and a leadership is told under
 * {@link #telling}, if it has not ended by then. Look-ups take no lock.
 */
public final class LocalPartitions implements Metadata.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(LocalPartitions.class);

    private final int brokerId;
    private final ReplicaTerms terms;
    private final LogManager logs;
    private final TopicSettings settings;
    private final Metadata metadata;
    private final Workers workers;
    private final Map<String, HostedTopic> byName = new ConcurrentHashMap<>();
    private final Map<Uuid, HostedTopic> byId = new ConcurrentHashMap<>();
    private final List<LeadershipListener> listeners = new CopyOnWriteArrayList<>();
    private final Object telling = new Object(); // what is told last is what is; no disk work under it
    private volatile Consumer<PartitionLog> onBegunAnew = log -> {};
    private boolean started; // the initial image was taken; guarded by this

    /** Makes the registry of a broker whose partitions have no other replicas, or none that ever lag. */
    public LocalPartitions(int brokerId, LogManager logs, TopicSettings settings, Metadata metadata, Executor workers) {
        this(new ReplicaTerms(brokerId, new SystemClock(), () -> Long.MAX_VALUE, metadata), logs, settings, workers);
    }

    /** Makes the registry; {@link #start} begins to follow. */
    public LocalPartitions(ReplicaTerms terms, LogManager logs, TopicSettings settings, Executor workers) {
        this.brokerId = terms.brokerId();
        this.terms = terms;
        this.logs = logs;
        this.settings = settings;
        this.metadata = terms.metadata();
        this.workers = new Workers(workers);
    }

    /** Opens the partitions of the present image and follows its changes from then on. */
    public void start() {
        logs.onDirectoryFailure(directory -> workers.run(() -> onDirectoryFailure(directory)));
        logs.onMoved(this::onMoved);
        metadata.onChange(this);
    }

    /** Has somebody told, on a worker, of each empty log that was made in the place of one that was given up. */
    public void onBegunAnew(Consumer<PartitionLog> listener) {
        onBegunAnew = listener;
    }

    /** Has a listener told of each change after these partitions, which have taken it then, beginning with all that they have. */
    public void thenTell(Metadata.Listener listener) {
        metadata.onChange(listener);
    }

    /** Whether the metadata have made this broker the leader and it has yet to do what that takes: open the log, record the epoch. */
    public boolean isBecomingLeader(String topic, int partition) {
        @Nullable PartitionImage image = metadata.image().partition(topic, partition);
        @Nullable LocalPartition hosted = partition(topic, partition);
        return image != null && image.leader() == brokerId && (hosted == null || !hosted.leads());
    }

    /** All that have a replica here. */
    public Collection<LocalPartition> partitions() {
        List<LocalPartition> all = new ArrayList<>();
        for (HostedTopic topic : byName.values()) {
            for (@Nullable LocalPartition partition : topic.partitions()) {
                if (partition != null) {
                    all.add(partition);
                }
            }
        }
        return all;
    }

    /** Live figures of the topics here, by name. */
    public Map<String, TopicFigures> figures() {
        Map<String, TopicFigures> figures = new java.util.TreeMap<>();
        byName.forEach((name, topic) -> figures.put(name, topic.figures()));
        return figures;
    }

    public @Nullable LocalPartition partition(TopicPartition partition) {
        return partition(partition.topic(), partition.partition());
    }

    /** As {@link #partition(TopicPartition)}, without the object. */
    public @Nullable LocalPartition partition(String topic, int partition) {
        @Nullable HostedTopic hosted = byName.get(topic);
        return hosted == null ? null : hosted.partition(partition);
    }

    public @Nullable LocalPartition partition(Uuid topicId, int partition) {
        @Nullable HostedTopic hosted = byId.get(topicId);
        return hosted == null ? null : hosted.partition(partition);
    }

    /**
     * The partition, if this broker has a replica of it.
     *
     * @throws UnknownTopicOrPartitionException no such partition in the metadata
     * @throws NotLeaderOrFollowerException its replicas are elsewhere, or it is just being opened
     */
    public LocalPartition hosted(String topic, int partition) {
        @Nullable LocalPartition hosted = partition(topic, partition);
        if (hosted != null) {
            return hosted;
        }
        if (metadata.image().partition(topic, partition) == null) {
            throw new UnknownTopicOrPartitionException("There is no partition " + topic + "-" + partition);
        }
        throw new NotLeaderOrFollowerException("Broker " + brokerId + " has no replica of " + topic + "-" + partition);
    }

    /**
     * The partition, if this broker leads it.
     *
     * @throws UnknownTopicOrPartitionException no such partition in the metadata
     * @throws NotLeaderOrFollowerException it is led elsewhere
     * @throws org.apache.kafka.common.errors.KafkaStorageException its directory is offline
     */
    public LocalPartition leader(TopicPartition partition) {
        LocalPartition hosted = hosted(partition.topic(), partition.partition());
        hosted.logAt(LocalPartition.ANY_EPOCH, true);
        return hosted;
    }

    /** Has a listener told, beginning with all that this broker leads now. */
    public synchronized void onLeadership(LeadershipListener listener) {
        synchronized (telling) {
            listeners.add(listener);
            for (LocalPartition partition : partitions()) {
                if (partition.leads()) {
                    listener.onLeader(partition, partition.leaderEpoch());
                }
            }
        }
    }

    @Override
    public synchronized void onChange(Metadata.Change change, MetadataImage image) {
        List<Runnable> work = new ArrayList<>();
        for (TopicImage topic : change.deletedTopics()) {
            @Nullable HostedTopic hosted = byId.get(topic.id());
            if (hosted != null) {
                remove(hosted, work);
            }
        }
        reconfigure(change.configs(), image); // first: min.insync.replicas is not older than the in-sync replicas
        List<Opening> openings = new ArrayList<>();
        for (Uuid id : change.topics()) {
            @Nullable TopicImage topic = image.topic(id);
            if (topic != null) {
                follow(topic, image, openings, work);
            }
        }
        openings.forEach(opening -> work.add(opening::run));
        workers.runAll(work);
        openings.forEach(opening -> tell(opening.partition, opening.transition));
        if (!change.brokers().isEmpty()) {
            onBrokers();
        }
        if (!started) {
            started = true;
            setStraysAside();
        }
    }

    /** Who waits for a follower whose broker is out of service now, waits no longer. */
    private void onBrokers() {
        for (LocalPartition partition : partitions()) {
            if (partition.leads()) {
                partition.followers().onLogStart();
            }
        }
    }

    private void remove(HostedTopic topic, List<Runnable> work) {
        byId.remove(topic.id(), topic);
        byName.remove(topic.name(), topic);
        for (@Nullable LocalPartition partition : topic.partitions()) {
            if (partition != null) {
                drop(partition, work);
            }
        }
        topic.replace(new LocalPartition[0]);
    }

    private void drop(LocalPartition partition, List<Runnable> work) {
        if (partition.onDeleted()) {
            tell(partition, Transition.RESIGNED);
        }
        work.add(() -> {
            try {
                logs.delete(partition.topicPartition());
            } catch (RuntimeException e) {
                LOG.error("log could not be deleted; partition={}", partition.topicPartition(), e);
            }
        });
    }

    private void follow(TopicImage topic, MetadataImage image, List<Opening> openings, List<Runnable> work) {
        HostedTopic hosted = byId.computeIfAbsent(topic.id(), id -> new HostedTopic(topic.name(), id));
        byName.put(topic.name(), hosted);
        @Nullable
        LocalPartition[] partitions =
                Arrays.copyOf(hosted.partitions(), topic.partitions().size());
        LogConfig config = settings.of(topic.name(), image);
        for (PartitionImage partition : topic.partitions()) {
            int index = partition.partition();
            @Nullable LocalPartition present = partitions[index];
            boolean here = partition.replicas().contains(brokerId);
            if (here) {
                LocalPartition local = present != null
                        ? present
                        : new LocalPartition(
                                new TopicPartition(topic.name(), index),
                                topic.id(),
                                terms,
                                hosted.figures(),
                                partition);
                partitions[index] = local;
                openings.add(new Opening(local, partition, config, present == null));
            } else if (present != null) {
                drop(present, work);
                partitions[index] = null;
            }
        }
        hosted.replace(partitions);
    }

    /** Disk work for one partition whose metadata is new: open its log, record its epoch. */
    private final class Opening {
        private final LocalPartition partition;
        private final PartitionImage image;
        private final LogConfig config;
        private final boolean isNew;
        private Transition transition = Transition.NONE; // written by a worker, read after all are done

        Opening(LocalPartition partition, PartitionImage image, LogConfig config, boolean isNew) {
            this.partition = partition;
            this.image = image;
            this.config = config;
            this.isNew = isNew;
        }

        void run() {
            try {
                if (isNew) {
                    open();
                }
                boolean beginsAnew = !isNew && isGivenUp();
                transition = partition.onImage(image); // what was fetched for the old log is of a past epoch now
                if (beginsAnew) {
                    beginAnew();
                }
            } catch (IOException | RuntimeException e) {
                LOG.error("partition could not be opened; partition={}", partition.topicPartition(), e);
                partition.onOffline();
            }
        }

        /** In an epoch that has just begun: what the leader knows of this replica is not of the old copy. */
        private boolean isGivenUp() {
            return PartitionRules.isGivenUp(image, brokerId) && partition.leaderEpoch() < image.leaderEpoch();
        }

        /** What is damaged goes, and all comes again from the leader. */
        private void beginAnew() throws IOException {
            TopicPartition name = partition.topicPartition();
            @Nullable
            DataDirectory place = logs.log(name)
                    .map(PartitionLog::directory)
                    .filter(DataDirectory::online)
                    .orElse(null);
            if (place == null) {
                return;
            }
            logs.delete(name);
            PartitionLog empty = logs.openOrCreate(name, partition.topicId(), config, place);
            partition.onEmptied(empty);
            onBegunAnew.accept(empty);
            LOG.warn(
                    "replica with damaged records was dropped and is copied again from its leader; partition={} leader={}",
                    name,
                    image.leader());
        }

        private void open() throws IOException {
            TopicPartition name = partition.topicPartition();
            @Nullable PartitionLog present = logs.log(name).orElse(null);
            if (present != null
                    && !present.topicId().equals(partition.topicId())
                    && !present.topicId().equals(Uuid.ZERO_UUID)) {
                LOG.warn("log of a deleted topic makes room; partition={} topicId={}", name, present.topicId());
                logs.delete(name);
                present = null;
            }
            @Nullable DataDirectory wanted = directoryOf(image);
            if (present == null && (mayBeOnAFailedDisk(wanted) || isBeingMoved(name) || wasMoved(name))) {
                LOG.error("log is in an offline directory; partition={}", name);
                return;
            }
            take(partition, logs.openOrCreate(name, partition.topicId(), config, wanted));
        }

        /** A log that is missing at start while a directory is offline is taken to be there: it must not begin again at 0 elsewhere. */
        private boolean mayBeOnAFailedDisk(@Nullable DataDirectory wanted) {
            if (wanted != null) {
                return !wanted.online();
            }
            return !started && logs.directories().stream().anyMatch(directory -> !directory.online());
        }

        /** It is in a directory that is away, whatever the metadata say: they had yet to be told. */
        private boolean wasMoved(TopicPartition name) {
            return logs.moved().stream().anyMatch(moved -> moved.isOf(name, partition.topicId()));
        }

        /** There is a copy of an interrupted move, and the log is in the directory that is offline: the copy is not whole. */
        private boolean isBeingMoved(TopicPartition name) {
            return !started
                    && logs.directories().stream().anyMatch(directory -> !directory.online())
                    && logs.futureLogs().stream()
                            .anyMatch(future -> future.topicPartition().equals(name)
                                    && (future.topicId().equals(partition.topicId())
                                            || future.topicId().equals(Uuid.ZERO_UUID)));
        }

        private @Nullable DataDirectory directoryOf(PartitionImage of) {
            int at = of.replicas().indexOf(brokerId);
            if (at < 0 || at >= of.directories().size()) {
                return null;
            }
            Uuid id = of.directories().get(at);
            if (id.equals(Uuid.ZERO_UUID)) { // not assigned; a directory that could not be opened has no id either
                return null;
            }
            for (DataDirectory directory : logs.directories()) {
                if (directory.id().equals(id)) {
                    return directory;
                }
            }
            return null;
        }
    }

    private void reconfigure(Set<ConfigResource> changed, MetadataImage image) {
        boolean broker = changed.stream().anyMatch(resource -> resource.type() == ConfigResource.Type.BROKER);
        if (broker) {
            byName.values().forEach(topic -> reconfigure(topic, image));
            return;
        }
        for (ConfigResource resource : changed) {
            @Nullable
            HostedTopic topic = resource.type() == ConfigResource.Type.TOPIC ? byName.get(resource.name()) : null;
            if (topic != null) {
                reconfigure(topic, image);
            }
        }
    }

    private void reconfigure(HostedTopic topic, MetadataImage image) {
        LogConfig config = settings.of(topic.name(), image);
        for (@Nullable LocalPartition partition : topic.partitions()) {
            if (partition != null
                    && partition.online()
                    && !partition.log().config().equals(config)) {
                partition.log().reconfigure(config);
                partition.followers().advance();
            }
        }
    }

    private void tell(LocalPartition partition, Transition transition) {
        synchronized (telling) {
            if (transition == Transition.BEGAN && !partition.leads()) {
                return; // its directory failed since, which was told
            }
            for (LeadershipListener listener : listeners) {
                switch (transition) {
                    case BEGAN -> listener.onLeader(partition, partition.leaderEpoch());
                    case RESIGNED -> listener.onResigned(partition.topicPartition(), partition.leaderEpoch());
                    case NONE -> {}
                }
            }
        }
    }

    /**
     * Whoever looked for the partitions of a directory that failed before the partition had the log has missed this one; and a log that was
     * moved before may have come first.
     */
    private void take(LocalPartition partition, PartitionLog log) {
        partition.onLog(log);
        @Nullable PartitionLog now = logs.log(log.topicPartition()).orElse(log);
        if (now != log && now.topicId().equals(log.topicId())) {
            take(partition, now);
            return;
        }
        if (!log.directory().online()) {
            goOffline(partition);
        }
    }

    private void goOffline(LocalPartition partition) {
        if (partition.onOffline()) {
            tell(partition, Transition.RESIGNED);
        }
    }

    /**
     * Logs of topics that were deleted, or that have their replicas elsewhere now, while this broker was away. They are set aside and not
     * deleted: that would turn lost metadata into lost data. One that bears no topic's id may become the log of a topic yet.
     */
    private void setStraysAside() {
        for (PartitionLog log : List.copyOf(logs.logs())) {
            TopicPartition name = log.topicPartition();
            if (partition(name) != null) {
                continue;
            }
            boolean ofATopic = !log.topicId().equals(Uuid.ZERO_UUID);
            LOG.warn(
                    "log is no replica of this broker's and is {}; partition={} topicId={} directory={}",
                    ofATopic ? "set aside" : "left alone",
                    name,
                    log.topicId(),
                    log.directory().path());
            if (ofATopic) {
                setAside(name);
            }
        }
    }

    private void setAside(TopicPartition name) {
        try {
            logs.setAside(name);
        } catch (RuntimeException e) {
            LOG.error("log could not be set aside; partition={}", name, e);
        }
    }

    /** On a worker: the thread that met the failure may be inside an append, which a change of its partition waits for. */
    private void onDirectoryFailure(DataDirectory directory) {
        for (LocalPartition partition : partitions()) {
            if (partition.isIn(directory)) {
                goOffline(partition);
            }
        }
        LOG.error("data directory failed, its partitions are offline; directory={}", directory.path());
    }

    private void onMoved(PartitionLog log) {
        @Nullable LocalPartition partition = partition(log.topicPartition());
        if (partition != null && partition.topicId().equals(log.topicId())) {
            take(partition, log);
        }
    }
}
