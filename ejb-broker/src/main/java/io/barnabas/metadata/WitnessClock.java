package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;

/**
 * Tells the controller what time it is on a node that votes and is no broker, in a heartbeat of nobody: of two brokers each is then a majority
 * with it, and goes by the right time when the other is away. See {@link BrokerClocks}.
 *
 * <p>Thread: the ticker's.
 */
public final class WitnessClock implements AutoCloseable {
    /** The epoch in the heartbeat of a node that is no broker. */
    static final long NO_BROKER = -1;

    private static final long TELL_MS = 2_000;

    private final ControllerChannel channel;
    private final int nodeId;
    private final Clock clock;
    private final Ticker ticker;
    private volatile boolean closed;

    /** Of node {@code nodeId}. */
    public WitnessClock(ControllerChannel channel, int nodeId, ControllerService.Time time) {
        this.channel = channel;
        this.nodeId = nodeId;
        this.clock = time.clock();
        this.ticker = time.ticker();
    }

    /** Tells it now, and again and again. */
    public void tell() {
        if (closed) {
            return;
        }
        BrokerHeartbeatRequestData heartbeat =
                new BrokerHeartbeatRequestData().setBrokerId(nodeId).setBrokerEpoch(NO_BROKER);
        BrokerClocks.write(heartbeat.unknownTaggedFields(), clock.machineMillis());
        try {
            var unused = channel.send(heartbeat, (int) TELL_MS);
        } finally {
            ticker.after(TELL_MS, this::tell);
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
