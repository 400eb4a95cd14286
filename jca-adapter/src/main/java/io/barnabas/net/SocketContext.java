package io.barnabas.net;

import io.barnabas.port.ListenerSettings;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.time.Clock;
import io.barnabas.wire.ResponseEncoder;
import java.util.concurrent.atomic.AtomicLong;

/** What all connections of a server share. Safe from any thread. */
record SocketContext(
        ListenerSettings settings,
        SocketBounds bounds,
        RequestDispatcher dispatcher,
        FrameContext frames,
        ResponseEncoder encoder,
        ConnectionLimits limits,
        AtomicLong connectionIds) {

    Clock clock() {
        return frames.clock();
    }

    FrameBudget budget() {
        return frames.budget();
    }

    LogLimit logLimit() {
        return frames.logLimit();
    }
}
