package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the controller of this broker in time, and at once when there is reason: it wants to serve or to stop, the controller is
 * another, the metadata say that it is fenced, or that another broker waits for all to know that it leaves. One heartbeat is under way
 * at a time, but for the one that goes to a new controller.
 *
 * <p>Made by {@link BrokerRegistration}. Threads: the ticker's, the metadata's and those that answers come on; nothing waits here.
 */
final class HeartbeatLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HeartbeatLoop.class);
    /** Time between two while the broker waits to be let go. */
    private static final long LEAVING_MS = 20;

    private final ControllerChannel channel;
    private final Metadata metadata;
    private final int nodeId;
    private final Ticker ticker;
    private final int intervalMs;
    private final Runnable onStale;
    private final OwnSession session;
    private final CompletableFuture<@Nullable Void> serving = new CompletableFuture<>();
    private final CompletableFuture<@Nullable Void> left = new CompletableFuture<>();
    private final Clock clock;
    private final UnsettledTime unsettled;
    private volatile Supplier<List<Uuid>> offlineDirs = List::of;
    private volatile Supplier<@Nullable List<Uuid>> cordonedDirs = () -> null;
    private volatile BooleanSupplier hindered = () -> false;
    private volatile long epoch = -1;
    private boolean wantsToServe; // all guarded by this
    private boolean wantsToStop;
    private boolean underWay;
    private boolean again;
    private long round;
    private long sentNanos; // the last
    private int controllerId = MetadataLog.NO_LEADER;
    private Ticker.@Nullable Timeout next;
    private boolean closed;

    /**
     * @param onStale the controller does not know this broker under its epoch
     */
    HeartbeatLoop(
            ControllerChannel channel, Metadata metadata, int nodeId, BrokerRegistration.Pace pace, Runnable onStale) {
        this.channel = channel;
        this.metadata = metadata;
        this.nodeId = nodeId;
        this.ticker = pace.ticker();
        this.intervalMs = pace.heartbeatMs();
        this.onStale = onStale;
        this.clock = pace.clock();
        this.unsettled = new UnsettledTime(pace.clock());
        this.session = new OwnSession(pace.clock(), pace.sessionMs());
    }

    /** Begins, for a broker that has just been registered. */
    void start() {
        metadata.onChange(this::onChange);
        beat();
    }

    void onRegistered(long brokerEpoch) {
        epoch = brokerEpoch;
    }

    long epoch() {
        return epoch;
    }

    OwnSession session() {
        return session;
    }

    void watch(Supplier<List<Uuid>> offline, Supplier<@Nullable List<Uuid>> cordoned, BooleanSupplier hinderedNow) {
        offlineDirs = offline;
        cordonedDirs = cordoned;
        hindered = hinderedNow;
    }

    /** The broker wants to serve from now on. @return completed when the controller has it in service */
    CompletableFuture<@Nullable Void> serve() {
        synchronized (this) {
            wantsToServe = true;
        }
        beat();
        return serving;
    }

    /** The broker wants to stop. @return completed when it may */
    CompletableFuture<@Nullable Void> leave() {
        synchronized (this) {
            wantsToStop = true;
        }
        beat();
        return left;
    }

    private void onChange(Metadata.Change change, MetadataImage image) {
        boolean newController;
        boolean beat;
        synchronized (this) {
            if (controllerId == nodeId && image.controllerId() == MetadataLog.NO_LEADER) {
                session.onLeadLost();
            }
            newController = image.controllerId() != controllerId && image.controllerId() != MetadataLog.NO_LEADER;
            controllerId = image.controllerId();
            if (newController) {
                underWay = false; // what the former one would answer says nothing
                round++;
            }
            beat = newController || hasReason(change, image);
        }
        if (beat) {
            beat();
        }
    }

    /** The lock is held. */
    private boolean hasReason(Metadata.Change change, MetadataImage image) {
        boolean fenced = wantsToServe
                && !wantsToStop
                && image.broker(nodeId)
                        .filter(b -> b.fenced() && b.epoch() == epoch)
                        .isPresent();
        boolean anotherLeaves = change.brokers().stream()
                .anyMatch(id -> id != nodeId
                        && image.broker(id)
                                .filter(b -> b.inControlledShutdown() && !b.fenced())
                                .isPresent());
        return fenced || anotherLeaves;
    }

    /** Sends a heartbeat at once, or right after the one that is under way. */
    void beat() {
        long mine;
        synchronized (this) {
            if (closed || epoch < 0) {
                return;
            }
            if (underWay) {
                again = true;
                return;
            }
            underWay = true;
            again = false;
            mine = ++round;
            sentNanos = clock.nanoTime();
            Ticker.@Nullable Timeout waiting = next;
            next = null;
            if (waiting != null) {
                waiting.cancel();
            }
        }
        send(mine);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // whatever comes of it, the loop goes on
    private void send(long mine) {
        try {
            channel.send(request(hindered.getAsBoolean()), Math.max(1_000, 2 * intervalMs))
                    .whenComplete((body, failure) -> onAnswer(mine, body, failure));
        } catch (RuntimeException e) { // an executor that takes no more
            onAnswer(mine, null, e);
        }
    }

    private synchronized BrokerHeartbeatRequestData request(boolean hinderedNow) {
        BrokerHeartbeatRequestData request = new BrokerHeartbeatRequestData()
                .setBrokerId(nodeId)
                .setBrokerEpoch(epoch)
                .setCurrentMetadataOffset(metadata.image().index())
                .setWantFence(!wantsToServe || hinderedNow)
                .setWantShutDown(wantsToStop)
                .setOfflineLogDirs(offlineDirs.get())
                .setCordonedLogDirs(cordonedDirs.get());
        BrokerClocks.write(request.unknownTaggedFields(), clock.machineMillis());
        return request;
    }

    private void onAnswer(long mine, @Nullable ApiMessage body, @Nullable Throwable failure) {
        long sent;
        synchronized (this) {
            sent = sentNanos;
            if (mine != round) {
                return; // a new controller has been asked meanwhile
            }
            underWay = false;
        }
        if (body instanceof BrokerHeartbeatResponseData answer && failure == null) {
            take(answer, sent);
        } else {
            LOG.info("no answer to a heartbeat; broker={} error={}", nodeId, String.valueOf(failure));
        }
        rest();
    }

    private void take(BrokerHeartbeatResponseData answer, long sent) {
        Errors error = Errors.forCode(answer.errorCode());
        if (error == Errors.NONE) {
            if (!answer.isFenced()) {
                session.onAnswered(sent);
            }
            BrokerClocks.read(answer.unknownTaggedFields()).ifPresent(clock::agree);
            if (unsettled.isDue()) {
                LOG.warn(
                        "nothing is deleted by its age: no majority of the nodes has told the same time since this one started; broker={}",
                        nodeId);
            }
        }
        if (error == Errors.STALE_BROKER_EPOCH) {
            onStale.run();
        } else if (error != Errors.NONE) {
            LOG.info("heartbeat refused; broker={} error={}", nodeId, error);
        } else if (answer.shouldShutDown()) {
            left.complete(null);
        } else if (!answer.isFenced()) {
            synchronized (this) {
                if (!wantsToServe) {
                    return;
                }
            }
            serving.complete(null);
        }
    }

    private void rest() {
        boolean now;
        synchronized (this) {
            if (closed || underWay) {
                return;
            }
            now = again;
            if (!now) {
                boolean hurries = wantsToStop && !left.isDone();
                next = ticker.after(hurries ? LEAVING_MS : intervalMs, this::beat);
            }
        }
        if (now) {
            beat();
        }
    }

    /** Sends nothing more. */
    @Override
    public synchronized void close() {
        closed = true;
        Ticker.@Nullable Timeout waiting = next;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
