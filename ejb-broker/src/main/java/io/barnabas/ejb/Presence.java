package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.Listeners;
import io.barnabas.config.LiveConfig;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogManager;
import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.BrokerRegistration;
import io.barnabas.metadata.BrokerRegistration.Presentation;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.JournalReserve;
import io.barnabas.metadata.Metadata;
import io.barnabas.port.BrokerPort;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How this broker shows itself in the cluster, as it is configured and as its directories are: registers it at the start, has clients
 * sent to it once its sockets are open, and takes leave before they are closed. For {@link BrokerNode}, on the threads that start and
 * stop it, which wait (bounded).
 */
final class Presence {
    private static final Logger LOG = LoggerFactory.getLogger(Presence.class);
    private static final long START_SECONDS = 120;
    private static final long LEAVE_SECONDS = 5;

    private final BrokerPort port;
    private final LiveConfig config;
    private final Metadata metadata;
    private final BrokerRegistration registration;
    private final LogManager logs;
    private final Uuid incarnation = Uuid.randomUuid();
    private final List<Uuid> directories;
    private final JournalReserve reserve;
    private final DiskWatch disks;

    Presence(BrokerPort port, LiveConfig config, Metadata metadata, BrokerRegistration registration, LogManager logs) {
        this.port = port;
        this.config = config;
        this.metadata = metadata;
        this.registration = registration;
        this.logs = logs;
        this.reserve = new JournalReserve(Foundation.metadataDirectory(config.atStart()));
        this.disks = new DiskWatch(
                this::lookAtDisks,
                port.workers(),
                port.clock(),
                config.atStart().getInt("broker.session.timeout.ms"));
        this.directories = logs.directories().stream().map(Presence::idOf).toList();
        logs.directories().forEach(directory -> directory.markWith(registration::epoch));
    }

    /**
     * A directory that could not be opened goes by an id made for this start: it counts, so that nobody takes what may be in it for a
     * replica of the only directory.
     */
    private static Uuid idOf(DataDirectory directory) {
        return directory.id().equals(Uuid.ZERO_UUID) ? Uuid.randomUuid() : directory.id();
    }

    /** Registers the broker, fenced; then the metadata here have that. A witness is none. */
    void register() {
        BrokerConfig atStart = config.atStart();
        if (atStart.isWitness()) {
            return;
        }
        long epoch = await(
                registration.register(presentation(atStart, cleanShutdownEpoch(logs.directories()))),
                "the broker is not registered");
        await(known(epoch), "the metadata do not have the broker's registration yet");
    }

    /**
     * The broker's last epoch, if every directory was left in order and says the same; else -1: one of them was not, or was put back from
     * an old copy.
     */
    static long cleanShutdownEpoch(List<DataDirectory> of) {
        long[] epochs = of.stream()
                .mapToLong(DataDirectory::cleanShutdownEpoch)
                .distinct()
                .toArray();
        return epochs.length == 1 ? epochs[0] : -1;
    }

    /** Older metadata are of this broker's former life: by those it might lead on with what that one had, and has lost. */
    private CompletableFuture<Long> known(long epoch) {
        CompletableFuture<Long> known = new CompletableFuture<>();
        metadata.onChange((change, image) -> {
            if (image.index() >= epoch) {
                known.complete(epoch);
            }
        });
        return known;
    }

    /** The sockets are open: clients may be sent here. */
    void serve() {
        BrokerConfig atStart = config.atStart();
        if (atStart.isWitness()) {
            return;
        }
        if (atStart.listeners().advertised().stream().anyMatch(endpoint -> endpoint.port() == 0)) {
            await(
                    registration.register(presentation(atStart, registration.epoch())),
                    "the broker's ports are not registered");
        }
        registration.watch(
                () -> ids(directory -> !directory.online()),
                () -> ids(DataDirectory::cordoned),
                () -> !disks.writable());
        await(registration.unfence(), "the broker stays fenced");
    }

    private List<Uuid> ids(Predicate<DataDirectory> which) {
        return logs.directories().stream().filter(which).map(DataDirectory::id).toList();
    }

    /** Whether all disks take records; of several voters, the journal goes on with what is reserved for it. */
    private boolean lookAtDisks() {
        boolean writable = logs.directories().stream().allMatch(each -> !each.online() || each.writable());
        if (config.atStart().isOneOfSeveral()) {
            long kept = reserve.onDisk(writable);
            logs.directories().forEach(each -> each.keepFree(kept));
        }
        return writable;
    }

    /** Others are to lead what this broker leads, while they still reach it. */
    void leave() {
        if (!config.atStart().getBoolean("controlled.shutdown.enable")
                || config.atStart().isWitness()) {
            return;
        }
        try {
            registration.leave().get(LEAVE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) { // the others notice by themselves
            LOG.warn("the broker stops without the controller's leave; error={}", e.toString());
        }
    }

    static <T> T await(CompletableFuture<T> future, String failure) {
        try {
            return future.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new KafkaException("The start failed: " + failure, e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("The start failed: " + failure + " after " + START_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("The start was interrupted: " + failure, e);
        }
    }

    private Presentation presentation(BrokerConfig atStart, long cleanShutdownEpoch) {
        List<BrokerImage.Endpoint> endpoints =
                atStart.listeners().advertised().stream().map(this::endpoint).toList();
        return new Presentation(
                incarnation, endpoints, atStart.rack(), directories, FeatureControl.SUPPORTED, cleanShutdownEpoch);
    }

    /** The port is 0 while the system has yet to choose it. */
    private BrokerImage.Endpoint endpoint(Listeners.Endpoint from) {
        int known = from.port() != 0 ? from.port() : Math.max(0, port.boundPort(from.name()));
        return new BrokerImage.Endpoint(from.name(), from.host(), known, from.protocol().id);
    }
}
