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
 * <p>A hint that a broker is gone makes it overdue soon unless it is heard again. {@link ControllerService} feeds it with
 * heartbeats, {@link ControllerDuties} asks it. Safe from any thread.
 */
final class BrokerSessions {
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

    /**
     * @param heard whether it was heard since this node became the controller
     * @param index how far in the metadata it was
     * @param shutdownIndex the metadata's index when its shutdown began, or -1
     */
    private record Session(long epoch, long deadline, boolean heard, long index, long shutdownIndex) {}

    /** Every broker in service has a full session from now on. */
    synchronized void restart(MetadataImage image) {
        sessions.clear();
        image.brokers().stream()
                .filter(b -> !b.fenced())
                .forEach(b -> sessions.put(b.id(), new Session(b.epoch(), deadline(timeoutNanos), false, -1, -1)));
    }

    /** A broker was heard, which is so far in the metadata. */
    synchronized void onHeard(int broker, long epoch, long index) {
        @Nullable Session former = sessions.get(broker);
        long shutdownIndex = former != null && former.epoch() == epoch ? former.shutdownIndex() : -1;
        sessions.put(broker, new Session(epoch, deadline(timeoutNanos), true, index, shutdownIndex));
    }

    /** There is a hint that the broker is gone: it has {@code graceMs} to be heard. */
    synchronized void onHint(int broker, long graceMs) {
        @Nullable Session s = sessions.get(broker);
        if (s != null) {
            long soon = deadline(TimeUnit.MILLISECONDS.toNanos(graceMs));
            long deadline = soon - s.deadline() < 0 ? soon : s.deadline();
            sessions.put(broker, new Session(s.epoch(), deadline, false, s.index(), s.shutdownIndex()));
        }
    }

    /** Whether the broker of this epoch was heard by this controller, and lately. */
    synchronized boolean isHeard(int broker, long epoch) {
        @Nullable Session s = sessions.get(broker);
        return s != null && s.epoch() == epoch && s.heard() && s.deadline() - clock.nanoTime() > 0;
    }

    /** Whether the broker of this epoch must be taken for gone. */
    synchronized boolean isOverdue(BrokerImage broker) {
        if (broker.id() == nodeId) {
            return false;
        }
        @Nullable Session s = sessions.get(broker.id());
        if (s == null || s.epoch() != broker.epoch()) {
            sessions.put(broker.id(), new Session(broker.epoch(), deadline(timeoutNanos), false, -1, -1));
            return false;
        }
        return s.deadline() - clock.nanoTime() <= 0;
    }

    /**
     * Whether all others in service know of what was changed when this broker's shutdown began.
     *
     * @param image in which the broker is in controlled shutdown
     */
    synchronized boolean isShutdownKnown(MetadataImage image, BrokerImage broker) {
        @Nullable Session own = sessions.get(broker.id());
        if (own == null || own.epoch() != broker.epoch()) {
            return false;
        }
        long since = own.shutdownIndex() >= 0 ? own.shutdownIndex() : image.index();
        sessions.put(broker.id(), new Session(own.epoch(), own.deadline(), own.heard(), own.index(), since));
        return image.brokers().stream()
                .filter(b -> !b.fenced() && !b.inControlledShutdown() && b.id() != nodeId)
                .allMatch(b -> index(b.id()) >= since);
    }

    private long index(int broker) {
        @Nullable Session s = sessions.get(broker);
        return s == null ? -1 : s.index();
    }

    private long deadline(long nanos) {
        return clock.nanoTime() + nanos;
    }
}
