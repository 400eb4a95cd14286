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
        Clock clock,
        ResponseEncoder encoder,
        FrameBudget budget,
        ConnectionLimits limits,
        SocketCounters counters,
        LogLimit logLimit,
        AtomicLong connectionIds) {}
