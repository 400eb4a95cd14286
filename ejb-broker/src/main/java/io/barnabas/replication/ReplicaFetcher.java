package io.barnabas.replication;

import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;
import io.barnabas.port.PeerConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies partitions from one leading broker: the answer is appended on the connection's event loop, straight from the receive buffer, and
 * the next fetch leaves at once. After {@link ReplicaFetchers}, which says what is followed; before {@code partition}.
 *
 * <p>One fetch is under way, or two when the partitions changed while the first waits at the leader: the second ends its wait.
 *
 * <p>Threads: everything under its monitor: answers come on the event loop of the connection, changes on the metadata thread, what touches
 * many files is done by the workers. Requests leave, and who waits for high watermarks is told, outside of it.
 */
final class ReplicaFetcher {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaFetcher.class);
    private static final int REQUESTS_IN_FLIGHT_MAX = 2;
    private static final long FIRST_REST_MS = 20;
    private static final long HELD_BACK_MS = 100;

    private final int leader;
    private final ReplicaFetchers.Follower follower;
    private final FetcherSettings settings;
    private final LeaderSession session;
    private final OwedAnswer owed;
    private final Map<PartitionKey, FollowedPartition> partitions = new HashMap<>();
    private volatile @Nullable PeerConnection connection; // asked by any thread whether it hears anything
    private int inFlight;
    private boolean resting;
    private volatile boolean closed;
    private boolean lost; // the leader's broker, which was told
    private long restMs = FIRST_REST_MS;

    ReplicaFetcher(int leader, ReplicaFetchers.Follower follower, FetcherSettings settings) {
        this.leader = leader;
        this.follower = follower;
        this.settings = settings;
        this.session = new LeaderSession(settings);
        this.owed = new OwedAnswer(follower.clock());
    }

    /** Follows a partition from where its log ends; in place of the same under an earlier epoch. */
    void add(FollowedPartition partition) {
        synchronized (this) {
            @Nullable FollowedPartition before = partitions.put(partition.key, partition);
            if (before != null) {
                session.remove(before);
            }
            session.add(partition);
        }
        partition.local.following().whenReaders(() -> follower.workers().execute(() -> tellLeader(partition)));
        pump();
    }

    /** The leader is told what is new here, readers or another log start, by a request that overtakes the one that waits there. */
    private void tellLeader(FollowedPartition partition) {
        synchronized (this) {
            session.onMoved(partition);
        }
        pump();
    }

    /** Follows it no longer. Returns whether nothing is followed any more. */
    synchronized boolean remove(FollowedPartition partition) {
        if (partitions.remove(partition.key, partition)) {
            session.remove(partition);
        }
        if (session.isEmpty()) {
            owed.onNothingFollowed();
        }
        return partitions.isEmpty();
    }

    /**
     * Whether nothing of the leader's broker has been heard for that long, though it owes an answer: a large one over a slow network may take
     * longer. Without the monitor, which is held while records are written.
     */
    boolean isSilent(long ms) {
        @Nullable PeerConnection over = connection;
        return owed.isOwedFor(ms) && (over == null || !over.hasHeardWithin(ms));
    }

    /** The last that was made. Without the monitor. */
    @Nullable
    PeerConnection connection() {
        return connection;
    }

    synchronized boolean waitsOn(PeerConnection over) {
        return inFlight > 0 && over == connection;
    }

    boolean isClosed() {
        return closed;
    }

    /** Ends; nothing is appended after that. */
    void close() {
        @Nullable PeerConnection last;
        synchronized (this) {
            closed = true;
            partitions.clear();
            last = connection;
            connection = null;
        }
        if (last != null) {
            last.close();
        }
    }

    // ---- requests

    private record Outgoing(PeerConnection over, FetchRequestData request, long number) {}

    /** Sends what is due. Not under the monitor: the connection may answer at once. */
    private void pump() {
        @Nullable Outgoing next;
        synchronized (this) {
            next = next();
        }
        if (next != null) {
            PeerConnection over = next.over();
            new LeaderAnswer<>(
                            FetchResponseData.class, answer -> onAnswer(next, answer), cause -> onFailure(over, cause))
                    .ask(over, next.request(), settings.timeoutMs());
        }
    }

    private @Nullable Outgoing next() {
        if (session.isEmpty()) {
            owed.onNothingFollowed();
            return null;
        }
        boolean due =
                inFlight == 0 || (inFlight < REQUESTS_IN_FLIGHT_MAX && session.established() && session.hasNews());
        if (closed || resting || !due) {
            return null;
        }
        owed.onAsked();
        @Nullable PeerConnection over = connection;
        if (over == null || !over.isOpen()) {
            session.reset();
            over = follower.connect(leader);
            connection = over;
            if (over == null) {
                rest();
                return null;
            }
        }
        inFlight++;
        FetchRequestData request =
                session.next(follower.brokerId(), follower.brokerEpoch().getAsLong());
        return new Outgoing(over, request, session.lastRequest());
    }

    /** The connection or the session is of no use: another is made after a while. */
    private void rest() {
        resting = true;
        long ms = Math.min(restMs, settings.backoffMsMax());
        restMs = Math.min(settings.backoffMsMax(), restMs * 2);
        follower.ticker().after(ms, () -> follower.workers().execute(() -> {
            synchronized (this) {
                resting = false;
            }
            pump();
        }));
    }

    private void onFailure(PeerConnection of, RuntimeException cause) {
        synchronized (this) {
            if (!forget(of, cause)) {
                return;
            }
            rest();
        }
        of.close();
    }

    /** Nothing is heard over it: the leader is asked over another one, at once. */
    void leave(PeerConnection silent) {
        synchronized (this) {
            if (!forget(silent, "nothing is heard")) {
                return;
            }
        }
        silent.close();
        pump();
    }

    private boolean forget(PeerConnection of, Object cause) {
        if (of != connection) {
            return false;
        }
        if (!lost) {
            LOG.info("the leader's broker is not reached; leader={} error={}", leader, cause.toString());
            lost = true;
        }
        connection = null;
        inFlight = 0;
        session.reset();
        return true;
    }

    // ---- answers

    private void onAnswer(Outgoing asked, FetchResponseData answer) {
        List<FollowedPartition> told = new ArrayList<>();
        synchronized (this) {
            if (asked.over() != connection) {
                return;
            }
            inFlight--;
            owed.onAnswer(inFlight > 0);
            if (lost) {
                LOG.info("the leader's broker is reached again; leader={}", leader);
                lost = false;
            }
            Errors error = Errors.forCode(answer.errorCode());
            if (error == Errors.NONE) {
                restMs = FIRST_REST_MS;
                session.onAnswer(answer.sessionId());
                takeAll(answer, asked.number(), told);
            } else {
                onError(error);
            }
        }
        pump();
        for (FollowedPartition partition : told) {
            tellBounds(partition);
        }
    }

    private void onError(Errors error) {
        boolean sessionOnly = error == Errors.FETCH_SESSION_ID_NOT_FOUND || error == Errors.INVALID_FETCH_SESSION_EPOCH;
        session.reset();
        if (!sessionOnly) {
            LOG.warn("the leader's broker refused a fetch; leader={} error={}", leader, error);
            rest();
        }
    }

    private void takeAll(FetchResponseData answer, long number, List<FollowedPartition> told) {
        for (FetchableTopicResponse topic : answer.responses()) {
            for (PartitionData data : topic.partitions()) {
                @Nullable
                FollowedPartition partition = partitions.get(new PartitionKey(topic.topicId(), data.partitionIndex()));
                if (partition != null && partition.isAnsweredBy(number)) {
                    take(partition, data, told);
                }
            }
        }
    }

    private void take(FollowedPartition partition, PartitionData data, List<FollowedPartition> told) {
        try {
            Errors error = Errors.forCode(data.errorCode());
            if (error != Errors.NONE) {
                onError(partition, error);
            } else if (data.divergingEpoch().endOffset() >= 0) {
                cut(
                        partition,
                        new EpochEnd(
                                data.divergingEpoch().epoch(),
                                data.divergingEpoch().endOffset()));
            } else {
                if (append(partition, data)) {
                    partition.onAnswer();
                }
                partition.leaderHighWatermark = data.highWatermark();
                partition.leaderLogStart = data.logStartOffset();
                told.add(partition);
                throttle(partition, data.records().sizeInBytes());
            }
        } catch (NotLeaderOrFollowerException e) {
            session.remove(partition); // the metadata thread is about to say what is followed now
        } catch (KafkaStorageException e) {
            onStorage(partition, e);
        } catch (RuntimeException e) {
            LOG.warn("what the leader sent could not be appended; partition={} leader={}", partition, leader, e);
            delay(partition);
        }
    }

    /** Returns whether that is progress, if only in that there is nothing more. */
    private boolean append(FollowedPartition partition, PartitionData data) {
        PartitionLog log = partition.local.log();
        if (data.records() instanceof MemoryRecords records && records.sizeInBytes() > 0) {
            MemoryRecords whole = WholeBatches.of(records);
            if (whole.sizeInBytes() == 0) {
                throw new CorruptRecordException("The answer holds no whole batch");
            }
            if (partition.local.following().append(whole, partition.epoch).bytes() == 0) {
                delay(partition); // all of it is of a later leader
                return false;
            }
            session.onMoved(partition);
            awaitForce(partition, log);
        }
        return true;
    }

    /** Where the topic asks for durability, the leader is told of records once they are forced: it takes what it is told for safe. */
    private void awaitForce(FollowedPartition partition, PartitionLog log) {
        CompletableFuture<Void> forced = log.durable(log.logEndOffset());
        if (!forced.isDone()) {
            occupy(partition);
            var unused = forced.whenComplete((nothing, failure) -> {
                if (failure == null) {
                    follower.workers().execute(() -> goOn(partition));
                } // else the directory is offline
            });
        }
    }

    /** The leader's high watermark, then its log start, which does not pass that. */
    private void tellBounds(FollowedPartition partition) {
        try {
            partition.local.following().onHighWatermark(partition.leaderHighWatermark, partition.epoch);
            if (partition.leaderLogStart > partition.local.log().logStartOffset()) {
                follower.workers().execute(() -> trim(partition));
            }
        } catch (RuntimeException e) {
            LOG.debug("bounds came too late; partition={} error={}", partition, e.toString());
        }
    }

    /** Takes off what the leader has taken off, and tells it so. */
    private void trim(FollowedPartition partition) {
        try {
            partition.local.following().onLogStart(partition.leaderLogStart, partition.epoch);
        } catch (RuntimeException e) {
            LOG.debug("the log's start was not moved; partition={} error={}", partition, e.toString());
            return;
        }
        tellLeader(partition);
    }

    // ---- what goes wrong

    private void onError(FollowedPartition partition, Errors error) {
        switch (error) {
            case OFFSET_OUT_OF_RANGE -> {
                occupy(partition);
                new LeaderBounds(this, partition, follower.brokerId(), settings.timeoutMs()).ask();
            }
            case FENCED_LEADER_EPOCH -> session.remove(partition); // new metadata are on the way, which name it again
            default -> {
                if (partition.isNews(error)) {
                    LOG.info("not fetched; partition={} leader={} error={}", partition, leader, error);
                }
                delay(partition);
            }
        }
    }

    /** It rests, then it is fetched again. */
    private void delay(FollowedPartition partition) {
        rest(partition, partition.nextBackoffMs(settings.backoffMsMax()), this::goOn);
    }

    private void rest(FollowedPartition partition, long ms, Consumer<FollowedPartition> then) {
        session.remove(partition);
        partition.state = FollowedPartition.State.RESTING;
        follower.ticker().after(ms, () -> follower.workers().execute(() -> then.accept(partition)));
    }

    /** Who is behind and has had its share rests. Who keeps pace does not, or it would leave the in-sync replicas. */
    private void throttle(FollowedPartition partition, int bytes) {
        follower.throttle().onCopied(partition.local.topicPartition(), bytes);
        if (partition.state == FollowedPartition.State.FETCHING && partition.isHeldBack(follower.throttle())) {
            rest(partition, HELD_BACK_MS, this::release);
        }
    }

    private void release(FollowedPartition partition) {
        synchronized (this) {
            if (partitions.get(partition.key) == partition && partition.isHeldBack(follower.throttle())) {
                rest(partition, HELD_BACK_MS, this::release);
                return;
            }
        }
        goOn(partition);
    }

    /** A disk that is full may have room again; one that failed will not. */
    private void onStorage(FollowedPartition partition, RuntimeException cause) {
        if (!partition.local.hasDisk()) {
            fail(partition, cause);
            return;
        }
        if (partition.isNews(Errors.KAFKA_STORAGE_ERROR)) {
            LOG.warn("what the leader sent finds no room; partition={} error={}", partition, cause.toString());
        }
        delay(partition);
    }

    private void fail(FollowedPartition partition, RuntimeException cause) {
        LOG.error("the partition is followed no longer; partition={}", partition, cause);
        session.remove(partition);
        partition.state = FollowedPartition.State.FAILED;
    }

    private void occupy(FollowedPartition partition) {
        session.remove(partition);
        partition.state = FollowedPartition.State.BUSY;
    }

    private void goOn(FollowedPartition partition) {
        synchronized (this) {
            if (partitions.get(partition.key) != partition || partition.state == FollowedPartition.State.FAILED) {
                return;
            }
            partition.state = FollowedPartition.State.FETCHING;
            session.add(partition);
        }
        pump();
    }

    private void cut(FollowedPartition partition, EpochEnd leaders) {
        PartitionLog log = partition.local.log();
        long end = log.logEndOffset();
        long at = Divergence.cutAt(log, leaders);
        LOG.info(
                "the log parts from the leader's; partition={} leader={} end={} leadersEpoch={} leadersEnd={} cut={}",
                partition,
                leader,
                end,
                leaders.epoch(),
                leaders.endOffset(),
                at);
        change(partition, () -> partition.local.following().truncateTo(at, partition.epoch));
    }

    /** Changes the log on a worker, then goes on fetching, after a rest if nothing has changed. */
    void change(FollowedPartition partition, Runnable change) {
        synchronized (this) {
            occupy(partition);
        }
        follower.workers().execute(() -> {
            try {
                PartitionLog log = partition.local.log();
                long end = log.logEndOffset();
                var epoch = log.latestEpoch();
                change.run();
                if (end == log.logEndOffset() && epoch.equals(log.latestEpoch())) {
                    later(partition);
                } else {
                    goOn(partition);
                }
            } catch (NotLeaderOrFollowerException e) {
                LOG.debug("a change came too late; partition={}", partition);
            } catch (RuntimeException e) {
                onFailedChange(partition, e);
            }
        });
    }

    private synchronized void onFailedChange(FollowedPartition partition, RuntimeException e) {
        if (e instanceof KafkaStorageException) {
            onStorage(partition, e);
        } else {
            LOG.warn("the log could not be changed; partition={}", partition, e);
            delay(partition);
        }
    }

    /** It is fetched again after a rest. */
    synchronized void later(FollowedPartition partition) {
        if (partition.state != FollowedPartition.State.FAILED) {
            delay(partition);
        }
    }
}
