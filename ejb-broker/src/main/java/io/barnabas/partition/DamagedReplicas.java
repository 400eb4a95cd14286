package io.barnabas.partition;

import io.barnabas.log.LogManager;
import io.barnabas.log.PartitionLog;
import io.barnabas.metadata.BrokerRegistration;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.time.Ticker;
import io.barnabas.time.Ticker.Timeout;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that a replica with damaged records gets them again from the others: asks the controller to be relieved of it, again and again
 * while it is needed, because no others, or not enough, are in sync. When the metadata say that it is given up, {@link LocalPartitions}
 * drops it. Once in a life of the process: what is damaged again is reported and left.
 *
 * <p>Threads: damage is told on any thread, the rest is done on the ticker's and the controller's; nothing waits here.
 */
public final class DamagedReplicas implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DamagedReplicas.class);
    static final long RETRY_MS = 5_000;

    private final int brokerId;
    private final LogManager logs;
    private final Metadata metadata;
    private final BiFunction<Uuid, Integer, CompletableFuture<Errors>> registration;
    private final Ticker ticker;
    private final Map<PartitionLog, String> damaged = new LinkedHashMap<>(); // guarded by this
    private final Set<PartitionLog> reported = new HashSet<>(); // as needed; guarded by this
    private final Set<TopicPartition> givenUp = new HashSet<>(); // once; guarded by this
    private @Nullable Timeout next; // guarded by this
    private boolean closed; // guarded by this

    /** @param registration gives up, as {@link BrokerRegistration#giveUp} does */
    public DamagedReplicas(
            int brokerId,
            LogManager logs,
            Metadata metadata,
            BiFunction<Uuid, Integer, CompletableFuture<Errors>> registration,
            Ticker ticker) {
        this.brokerId = brokerId;
        this.logs = logs;
        this.metadata = metadata;
        this.registration = registration;
        this.ticker = ticker;
    }

    /** Records of the log are damaged, as {@code what} says. Under any lock. */
    public synchronized void onDamage(PartitionLog log, String what) {
        if (givenUp.contains(log.topicPartition())) {
            LOG.error(
                    "replica is damaged again since the start and is left as it is: see to the disk, then start again; partition={} directory={} damage={}",
                    log.topicPartition(),
                    log.directory().path(),
                    what);
            return;
        }
        damaged.put(log, what);
        lookAfter(1);
    }

    private synchronized void lookAfter(long ms) {
        if (next == null && !closed && !damaged.isEmpty()) {
            next = ticker.after(ms, this::look);
        }
    }

    private void look() {
        List<PartitionLog> present;
        synchronized (this) {
            next = null;
            Iterator<PartitionLog> all = damaged.keySet().iterator();
            while (all.hasNext()) {
                PartitionLog log = all.next();
                boolean gone =
                        logs.log(log.topicPartition()).filter(now -> now == log).isEmpty();
                if (gone) {
                    all.remove(); // dropped, moved or deleted
                    reported.remove(log);
                }
            }
            present = List.copyOf(damaged.keySet());
        }
        present.forEach(this::giveUp);
        lookAfter(RETRY_MS);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // what comes of it is seen to
    private void giveUp(PartitionLog log) {
        if (!hasOthers(log)) {
            onNeeded(log);
            return;
        }
        try {
            registration.apply(log.topicId(), log.topicPartition().partition()).whenComplete((error, failure) -> {
                if (error == Errors.NONE) {
                    onGivenUp(log);
                } else if (error == Errors.NOT_ENOUGH_REPLICAS) {
                    onNeeded(log);
                } else {
                    LOG.info(
                            "damaged replica not given up yet; partition={} error={}",
                            log.topicPartition(),
                            error == null ? String.valueOf(failure) : error);
                }
            });
        } catch (RuntimeException e) { // an executor that takes no more
            LOG.debug("damaged replica not given up yet; partition={}", log.topicPartition(), e);
        }
    }

    private boolean hasOthers(PartitionLog log) {
        @Nullable TopicImage topic = metadata.image().topic(log.topicId());
        int index = log.topicPartition().partition();
        if (topic == null || index >= topic.partitions().size()) {
            return false;
        }
        PartitionImage partition = topic.partitions().get(index);
        return partition.isr().stream().anyMatch(id -> id != brokerId);
    }

    private synchronized void onGivenUp(PartitionLog log) {
        givenUp.add(log.topicPartition());
    }

    private synchronized void onNeeded(PartitionLog log) {
        if (damaged.containsKey(log) && reported.add(log)) {
            LOG.error(
                    "damaged replica cannot be replaced, too few others are in sync; it serves what can be read. Bring the others back, or, if"
                            + " there are none, delete the records up to behind the damage or restore the topic; partition={} directory={} damage={}",
                    log.topicPartition(),
                    log.directory().path(),
                    damaged.get(log));
        }
    }

    /** Asks for nothing more. */
    @Override
    public synchronized void close() {
        closed = true;
        damaged.clear();
        Timeout waiting = next;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
