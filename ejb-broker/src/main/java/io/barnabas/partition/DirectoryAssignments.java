package io.barnabas.partition;

import io.barnabas.log.LogManager;
import io.barnabas.log.MovedLog;
import io.barnabas.log.PartitionLog;
import io.barnabas.metadata.BrokerRegistration;
import io.barnabas.metadata.BrokerRegistration.Assignment;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.time.Ticker;
import io.barnabas.time.Ticker.Timeout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the metadata told of the data directory that each replica is in: after a move, and at the start of what they say otherwise. A start
 * without a directory then knows which logs are in it and begins none of them anew elsewhere.
 *
 * <p>What could not be told is told again until it is committed, or the replica is elsewhere, or the broker ends.
 *
 * <p>Threads: moves are told on a thread of the log, answers come on the controller's, repetitions on the ticker's; nothing waits here.
 */
public final class DirectoryAssignments implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DirectoryAssignments.class);
    /** Replicas of one command. */
    private static final int BATCH = 1_000;

    private static final long RETRY_MS = 500;
    private static final long RETRY_MS_MAX = 30_000;

    private final int brokerId;
    private final Function<List<Assignment>, CompletableFuture<Long>> registration;
    private final Ticker ticker;
    private final Map<Replica, Assignment> untold = new LinkedHashMap<>(); // the latest of each; guarded by this
    private volatile Consumer<Set<Assignment>> onTold = told -> {};
    private @Nullable Timeout retry; // guarded by this
    private long retryMs = RETRY_MS; // guarded by this
    private boolean closed; // guarded by this

    /** Whose directory is told. */
    private record Replica(Uuid topicId, int partition) {
        static Replica of(Assignment assignment) {
            return new Replica(assignment.topicId(), assignment.partition());
        }
    }

    /**
     * @param registration tells, as {@link BrokerRegistration#assign} does
     * @param ticker when to tell again
     */
    public DirectoryAssignments(
            int brokerId, Function<List<Assignment>, CompletableFuture<Long>> registration, Ticker ticker) {
        this.brokerId = brokerId;
        this.registration = registration;
        this.ticker = ticker;
    }

    /** Tells of what the image has otherwise, and of moves from now on. The partitions are open. */
    public void follow(LogManager logs, MetadataImage image) {
        onTold = told -> logs.moved().stream()
                .filter(moved -> told.contains(
                        new Assignment(moved.topicId(), moved.partition().partition(), moved.directoryId())))
                .forEach(moved -> logs.onMoveRecorded(moved.partition()));
        logs.onSettled(
                log -> tell(List.of(of(log)))); // not before: a start would make the log anew where it is said to be
        List<Assignment> news = new ArrayList<>();
        for (PartitionLog log : logs.logs()) {
            if (log.directory().online() && isNews(of(log), image)) {
                news.add(of(log));
            }
        }
        for (MovedLog moved : logs.moved()) {
            Assignment left = of(moved, image);
            boolean missing = logs.log(moved.partition()).isEmpty();
            if (missing && isNews(left, image)) {
                news.add(left); // the broker is no use as a leader
            } else if (news.stream().noneMatch(each -> Replica.of(each).equals(Replica.of(left)))) {
                logs.onMoveRecorded(moved.partition());
            }
        }
        tell(news);
    }

    /** Tells of a log that was made in the place of another. */
    public void onMade(PartitionLog log) {
        tell(List.of(of(log)));
    }

    private static Assignment of(PartitionLog log) {
        return new Assignment(
                log.topicId(), log.topicPartition().partition(), log.directory().id());
    }

    private static Assignment of(MovedLog moved, MetadataImage image) {
        @Nullable TopicImage topic = image.topic(moved.partition().topic());
        Uuid id = topic != null && moved.isOf(moved.partition(), topic.id()) ? topic.id() : moved.topicId();
        return new Assignment(id, moved.partition().partition(), moved.directoryId());
    }

    /** Whether the image has it otherwise; it has nothing of what is no replica of this broker's. */
    private boolean isNews(Assignment assignment, MetadataImage image) {
        @Nullable TopicImage topic = image.topic(assignment.topicId());
        if (topic == null || assignment.partition() >= topic.partitions().size()) {
            return false;
        }
        PartitionImage partition = topic.partitions().get(assignment.partition());
        int at = partition.replicas().indexOf(brokerId);
        List<Uuid> directories = partition.directories();
        return at >= 0 && at < directories.size() && !directories.get(at).equals(assignment.directory());
    }

    /** In order: what is told of a replica later is decided later. */
    synchronized void tell(List<Assignment> assignments) {
        if (!closed) {
            assignments.forEach(each -> untold.put(Replica.of(each), each));
            for (int from = 0; from < assignments.size(); from += BATCH) {
                submit(List.copyOf(assignments.subList(from, Math.min(assignments.size(), from + BATCH))));
            }
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // what comes of it is seen to
    private void submit(List<Assignment> batch) {
        try {
            registration.apply(batch).whenComplete((index, failure) -> {
                if (failure == null) {
                    onTold(batch);
                } else {
                    onFailure(batch, failure);
                }
            });
        } catch (RuntimeException e) { // an executor that takes no more
            onFailure(batch, e);
        }
    }

    private void onTold(List<Assignment> batch) {
        synchronized (this) {
            batch.forEach(each -> untold.remove(Replica.of(each), each));
            if (untold.isEmpty()) {
                retryMs = RETRY_MS;
            }
        }
        onTold.accept(Set.copyOf(batch));
    }

    private synchronized void onFailure(List<Assignment> batch, Throwable failure) {
        if (closed) {
            return;
        }
        LOG.warn(
                "the metadata were not told of directories yet; replicas={} error={}",
                batch.size(),
                failure.toString());
        if (retry == null) {
            retry = ticker.after(retryMs, this::tellAgain);
            retryMs = Math.min(RETRY_MS_MAX, 2 * retryMs);
        }
    }

    private synchronized void tellAgain() {
        retry = null;
        tell(List.copyOf(untold.values()));
    }

    /** Tells nothing more. */
    @Override
    public synchronized void close() {
        closed = true;
        untold.clear();
        Timeout waiting = retry;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
