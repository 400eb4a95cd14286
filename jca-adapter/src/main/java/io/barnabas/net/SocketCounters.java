package io.barnabas.net;

import io.barnabas.port.BrokerPort.SocketFigures;
import java.util.concurrent.atomic.LongAdder;

/** What the sockets count, striped so that event loops do not meet. Safe from any thread. */
final class SocketCounters {
    final LongAdder accepted = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder receivedBytes = new LongAdder();
    final LongAdder sentBytes = new LongAdder();

    SocketFigures figures(int openConnections) {
        return new SocketFigures(openConnections, accepted.sum(), refused.sum(), receivedBytes.sum(), sentBytes.sum());
    }
}
