package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.Rounds;
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
    private final Rounds rounds;

    /** Of node {@code nodeId}. */
    public WitnessClock(ControllerChannel channel, int nodeId, ControllerService.Time time) {
        this.channel = channel;
        this.nodeId = nodeId;
        this.clock = time.clock();
        this.rounds = new Rounds(time.ticker(), Runnable::run, TELL_MS, this::send);
    }

    /** Tells it now, and again and again. Called once. */
    public void tell() {
        rounds.startNow();
    }

    private void send() {
        BrokerHeartbeatRequestData heartbeat =
                new BrokerHeartbeatRequestData().setBrokerId(nodeId).setBrokerEpoch(NO_BROKER);
        BrokerClocks.write(heartbeat.unknownTaggedFields(), clock.machineMillis());
        var unused = channel.send(heartbeat, (int) TELL_MS);
    }

    @Override
    public void close() {
        rounds.close();
    }
}
