package io.barnabas.metadata;

import io.barnabas.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * When the controller last heard of each broker: soft state, of this node alone, by its monotonic clock. A new controller knows nothing
 * and gives every broker a full session (no safety rule stands on this: it only says whom to fence). Its own node's broker is never
 * overdue: whoever looks is alive.
 *
 * <p>Silence for a third of a session, a hint that a broker is gone, or a new controller, to which nobody has turned yet, make a broker
 * suspect: it is looked for. Found to be gone, its session is over; after a hint it has half of one to be heard or found, so that a
 * broker that only changes its connection, on a busy machine, stays in service. {@link ControllerService} feeds it with heartbeats,
 * {@link ControllerDuties} asks it. Safe from any thread.
 */
final class BrokerSessions {
    private static final int LOOKS_A_SESSION = 3;

    private final Clock clock;
    private final int nodeId;
    private final long timeoutNanos;
    private final Map<Integer, Session> sessions = new HashMap<>(); // guarded by this

    /**
     * @param nodeId the controller's own
     * @param timeoutMs {@code broker.session.timeout.ms}
     */
    BrokerSessions(Clock clock, int nodeId, long timeoutMs) {
        this.clock = clock;
        this.nodeId = nodeId;
        this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    }

    /** What is known of one broker; guarded by the sessions. */
    private static final class Session {
        private final long epoch;
        private long fullDeadline; // by its heartbeats
        private long deadline; // by hints, too
        private long suspectAt;
        private boolean heard; // since this node became the controller
        private long index = -1; // how far in the metadata it was
        private long shutdownIndex = -1; // the metadata's index when its shutdown began
        private boolean served; // seen in service
        private long fencedIndex = -1; // the metadata's index when it was first heard out of service again

        private Session(long epoch) {
            this.epoch = epoch;
        }

        private void extend(long to) {
            fullDeadline = to;
            deadline = to;
        }
    }

    /** Every broker in service has a full session from now on, and is looked for. */
    synchronized void restart(MetadataImage image) {
        sessions.clear();
        image.brokers().stream().filter(b -> !b.fenced()).forEach(b -> begin(b.id(), b.epoch()).served = true);
    }

    private Session begin(int broker, long epoch) {
        Session session = new Session(epoch);
        session.extend(clock.nanoTime() + timeoutNanos);
        session.suspectAt = clock.nanoTime();
        sessions.put(broker, session);
        return session;
    }

    /** A broker was heard, which is so far in the metadata. */
    synchronized void onHeard(int broker, long epoch, long index) {
        @Nullable Session former = of(broker, epoch);
        Session session = former != null ? former : begin(broker, epoch);
        session.extend(clock.nanoTime() + timeoutNanos);
        session.suspectAt = clock.nanoTime() + timeoutNanos / LOOKS_A_SESSION;
        session.heard = true;
        session.index = index;
    }

    private @Nullable Session of(int broker, long epoch) {
        @Nullable Session session = sessions.get(broker);
        return session != null && session.epoch == epoch ? session : null;
    }

    /** There is a hint that the broker is gone. */
    synchronized void onHint(int broker) {
        @Nullable Session session = sessions.get(broker);
        if (session != null) {
            long limit = clock.nanoTime() + timeoutNanos / 2;
            session.deadline = limit - session.deadline < 0 ? limit : session.deadline;
            session.suspectAt = clock.nanoTime();
            session.heard = false;
        }
    }

    /** Whether it is to be looked whether the broker of this epoch is there. */
    synchronized boolean isSuspect(BrokerImage broker) {
        @Nullable Session session = of(broker.id(), broker.epoch());
        return broker.id() != nodeId && session != null && session.suspectAt - clock.nanoTime() <= 0;
    }

    /** A suspect was found to be there: it is not looked for again before another silence, or hint. */
    synchronized void onFound(BrokerImage broker) {
        @Nullable Session session = of(broker.id(), broker.epoch());
        if (session != null) {
            session.suspectAt = clock.nanoTime() + timeoutNanos / LOOKS_A_SESSION;
            session.deadline = session.fullDeadline;
        }
    }

    /** A suspect was found to be gone: its session is over, unless it was heard meanwhile. */
    synchronized void onGone(BrokerImage broker) {
        @Nullable Session session = of(broker.id(), broker.epoch());
        if (session != null && isSuspect(broker)) {
            session.extend(clock.nanoTime());
        }
    }

    /** Whether the broker of this epoch was heard by this controller, and lately. */
    synchronized boolean isHeard(int broker, long epoch) {
        @Nullable Session session = of(broker, epoch);
        return session != null && session.heard && session.deadline - clock.nanoTime() > 0;
    }

    /** Whether the broker of this epoch must be taken for gone. */
    synchronized boolean isOverdue(BrokerImage broker) {
        if (broker.id() == nodeId) {
            return false;
        }
        @Nullable Session session = of(broker.id(), broker.epoch());
        if (session == null) {
            begin(broker.id(), broker.epoch());
            return false;
        }
        return session.deadline - clock.nanoTime() <= 0;
    }

    /**
     * Whether all others in service know of what was changed when this broker's shutdown began.
     *
     * @param image in which the broker is in controlled shutdown
     */
    synchronized boolean isShutdownKnown(MetadataImage image, BrokerImage broker) {
        @Nullable Session own = of(broker.id(), broker.epoch());
        if (own == null) {
            return false;
        }
        long since = own.shutdownIndex >= 0 ? own.shutdownIndex : image.index();
        own.shutdownIndex = since;
        return image.brokers().stream()
                .filter(b -> !b.fenced() && !b.inControlledShutdown() && b.id() != nodeId)
                .allMatch(b -> index(b.id()) >= since);
    }

    /** The broker of this epoch is in service. */
    synchronized void onServing(BrokerImage broker) {
        @Nullable Session session = of(broker.id(), broker.epoch());
        if (session != null) {
            session.served = true;
            session.fencedIndex = -1;
        }
    }

    /**
     * Whether a broker that is fenced knows enough to serve: its registration, and if it has served since, that it was fenced and who
     * leads what it led.
     *
     * @param index how far in the metadata it is
     */
    synchronized boolean isCaughtUp(MetadataImage image, BrokerImage broker, long index) {
        @Nullable Session session = of(broker.id(), broker.epoch());
        if (session == null || !session.served) {
            return index >= broker.epoch();
        }
        if (session.fencedIndex < 0) {
            session.fencedIndex = image.index();
        }
        return index >= session.fencedIndex;
    }

    private long index(int broker) {
        @Nullable Session session = sessions.get(broker);
        return session == null ? -1 : session.index;
    }
}
