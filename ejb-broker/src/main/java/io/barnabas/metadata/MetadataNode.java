package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's part of the metadata: opens and closes directory, journal, image and controller, and formats a new cluster. The composition
 * root opens it first of all, for the cluster's id and topics; the broker serves once {@link #ready}.
 */
public final class MetadataNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MetadataNode.class);
    private static final long READY_POLL_MS = 100;

    private final MetadataNodeSettings settings;
    private final MetadataDirectory directory;
    private final MetadataLog log;
    private final ReplayedMetadata metadata;
    private final Controller controller;
    private final CompletableFuture<MetadataImage> ready = new CompletableFuture<>();
    private final AtomicBoolean formatting = new AtomicBoolean();
    private volatile boolean closed;

    private MetadataNode(
            MetadataNodeSettings settings,
            MetadataDirectory directory,
            Executor executor,
            Consumer<Throwable> onFailure)
            throws IOException {
        this.settings = settings;
        this.directory = directory;
        this.log = new RatisMetadataLog(new RatisSettings(
                directory.journal(),
                directory.clusterId(),
                directory.incarnation(),
                settings.alone() ? settings.self() : settings.self().inDirectory(directory.directoryId()),
                settings.voters(),
                RatisSettings.ELECTION_TIMEOUT_MS,
                RatisSettings.SNAPSHOT_ENTRIES,
                settings.keys()));
        this.metadata = new ReplayedMetadata(directory.clusterId(), onFailure.andThen(ready::completeExceptionally));
        this.controller = new Controller(log, metadata, settings.nodeId(), executor);
    }

    /**
     * Opens the directory and starts the journal. What was committed before is then being replayed: {@link #ready} tells when it has
     * been.
     *
     * @param ids makes random ids
     * @param executor runs the controller's commands, one at a time; a thread that may block on nothing but its queue
     * @param onFailure told what ended the metadata: the process must stop serving, a restart is the way back
     * @throws IOException if the directory cannot be used, with the reason as its message
     */
    public static MetadataNode open(
            MetadataNodeSettings settings, Supplier<Uuid> ids, Executor executor, Consumer<Throwable> onFailure)
            throws IOException {
        return open(settings, ids, executor, onFailure, () -> false);
    }

    /**
     * The same, for one of several voters, which at its first start waits for the others as long as it takes.
     *
     * @param stopping asked while there is nothing but waiting: whether to give up, with an {@link IOException}
     */
    public static MetadataNode open(
            MetadataNodeSettings settings,
            Supplier<Uuid> ids,
            Executor executor,
            Consumer<Throwable> onFailure,
            BooleanSupplier stopping)
            throws IOException {
        boolean alone = settings.alone();
        MetadataDirectory directory = alone
                ? MetadataDirectory.open(settings.directory(), settings.nodeId(), settings.clusterId(), ids)
                : MetadataDirectory.openVoter(settings.directory(), settings.nodeId(), settings.voterIds(), ids);
        MetadataNode node;
        try {
            node = new MetadataNode(
                    alone ? settings : settings.withVoters(agreed(settings, directory, stopping)),
                    directory,
                    executor,
                    onFailure);
        } catch (IOException | RuntimeException e) {
            directory.close();
            throw e;
        }
        try {
            node.metadata.onChange(node::onChange);
            node.log.start(node.metadata);
            if (!alone) { // others rely on this journal from now on
                directory.setFormatted();
            }
            return node;
        } catch (IOException | RuntimeException e) {
            node.close();
            throw e;
        }
    }

    private static List<RatisSettings.Voter> agreed(
            MetadataNodeSettings settings, MetadataDirectory directory, BooleanSupplier stopping) throws IOException {
        VoterAgreement agreement = new VoterAgreement(
                settings.voters(), settings.self().inDirectory(directory.directoryId()), settings.keys(), stopping);
        VoterSet voters = directory.voters();
        if (voters == null) {
            VoterAgreement.Found found = agreement.reach();
            directory.setVoters(found.voters(), found.clusterId(), found.incarnation());
            voters = found.voters();
        } else {
            followRecovery(directory, agreement.present());
        }
        return VoterAgreement.withDirectories(settings.voters(), voters);
    }

    /** The quorum may have been recovered by force without this node, whose journal and vote are of the past then. */
    private static void followRecovery(MetadataDirectory directory, List<VoterIntroduction> others) throws IOException {
        Incarnation own = directory.incarnation();
        Incarnation newest = others.stream()
                .filter(other -> other.clusterId().equals(directory.clusterId()))
                .map(VoterIntroduction::incarnation)
                .max(Comparator.comparingInt(Incarnation::number))
                .orElse(own);
        if (newest.number() > own.number()) {
            LOG.warn(
                    "The quorum was recovered by force without this node, which has lost its vote and waits to be added to the voters: incarnation={} formerJournal={}",
                    newest,
                    directory.journal());
            directory.setIncarnation(newest, false);
        } else if (newest.number() == own.number() && !newest.equals(own)) {
            throw new IOException("Two nodes have recovered the quorum by force: this one as incarnation " + own
                    + ", another as " + newest + ". Let one of them begin with an empty metadata directory");
        }
    }

    private void onChange(Metadata.Change change, MetadataImage image) {
        onImage(image);
        if (image.controllerId() == settings.nodeId() && !closed) {
            change.brokers().stream().filter(id -> image.broker(id).isEmpty()).forEach(log::forgetObserver);
        }
    }

    private void onImage(MetadataImage image) {
        if (closed || image.controllerId() == MetadataLog.NO_LEADER || ready.isDone()) {
            return;
        }
        if (image.features().containsKey(MetadataNodeSettings.METADATA_VERSION)) {
            onFormatted(image);
        } else if (image.controllerId() == settings.nodeId() && formatting.compareAndSet(false, true)) {
            CompletableFuture<Long> unused = controller
                    .submit("Format", this::format)
                    .exceptionally(e -> {
                        LOG.warn("A new cluster was not formatted: clusterId={}", image.clusterId(), e);
                        formatting.set(false);
                        onImage(metadata.image());
                        return -1L;
                    });
        }
    }

    private Decision<Long> format(MetadataImage image) {
        List<ApiMessage> records = new ArrayList<>();
        if (image.features().isEmpty()) {
            LOG.info("A new cluster is formatted: clusterId={}", image.clusterId());
            settings.bootstrapFeatures().entrySet().stream()
                    .sorted(java.util.Map.Entry.comparingByKey())
                    .forEach(f -> records.add(
                            new FeatureLevelRecord().setName(f.getKey()).setFeatureLevel(f.getValue())));
            if (settings.bootstrapFeatures().getOrDefault(PartitionRules.ELIGIBLE_LEADERS, (short) 0) > 0) {
                PartitionRules.onEligibleLeadersBegin(image, settings.minInSync(), records);
            }
        }
        return new Decision<>(records, MetadataImage::index);
    }

    private void onFormatted(MetadataImage image) {
        try {
            directory.setFormatted();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ready.complete(image);
    }

    /**
     * Completed, on a thread of the journal, when a controller is known and the cluster is formatted. On the controller all that was
     * committed before is in the image then; on another node it may still be on its way.
     */
    public CompletableFuture<MetadataImage> ready() {
        return ready.copy();
    }

    /**
     * Waits until it is {@link #ready}, which takes a majority of the voters, and tells every ten seconds that it does.
     *
     * @param stopping asked again and again: whether to give up
     * @throws KafkaException if it gave up, or the metadata cannot go on
     */
    public void awaitReady(BooleanSupplier stopping) {
        StartWait wait = new StartWait(stopping);
        while (!stopping.getAsBoolean()) {
            try {
                ready.get(READY_POLL_MS, TimeUnit.MILLISECONDS);
                return;
            } catch (ExecutionException e) {
                throw new KafkaException("The metadata is not ready", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new KafkaException("The start was interrupted: the metadata is not ready", e);
            } catch (TimeoutException e) {
                if (wait.isTimeToTell()) {
                    LOG.warn(
                            "Waiting for a controller, which takes a majority of the voters, and a vote of this node: node={} directoryId={} voters={}",
                            settings.nodeId(),
                            directory.directoryId(),
                            settings.voters());
                }
            }
        }
        throw new KafkaException("The broker is being stopped, and the metadata was not ready yet");
    }

    public String clusterId() {
        return directory.clusterId();
    }

    /** The other half of this voter's identity: random, of its metadata directory. */
    public Uuid directoryId() {
        return directory.directoryId();
    }

    /** Where the entities' database belongs. */
    public Path entitiesDirectory() {
        return directory.entities();
    }

    /** The image and its changes. */
    public ReplayedMetadata metadata() {
        return metadata;
    }

    public Controller controller() {
        return controller;
    }

    /** This node stops soon: another is to be the controller while the brokers still reach this one, and hear of it. */
    public void handOver() {
        log.handOver();
    }

    /** Stops the journal, after a snapshot for the next start. Idempotent. */
    @Override
    public void close() {
        closed = true;
        log.close();
        try {
            directory.close();
        } catch (IOException e) {
            LOG.warn("The metadata directory was not released: directory={}", settings.directory(), e);
        }
    }
}
