package io.barnabas.replication;

import io.barnabas.port.PeerConnection;
import java.util.concurrent.Executor;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Sends fetches as a follower that knows no epochs (before KIP-320): for a broken twin. */
public record EpochlessConnection(PeerConnection real) implements PeerConnection {
    @Override
    public void send(ApiMessage request, short version, int timeoutMs, Answer answer) {
        if (request instanceof FetchRequestData fetch) {
            fetch.topics().forEach(t -> t.partitions().forEach(p -> p.setLastFetchedEpoch(-1)));
        }
        real.send(request, version, timeoutMs, answer);
    }

    @Override
    public boolean isOpen() {
        return real.isOpen();
    }

    @Override
    public boolean hasHeardWithin(long ms) {
        return real.hasHeardWithin(ms);
    }

    @Override
    public Executor eventLoop() {
        return real.eventLoop();
    }

    @Override
    public void close() {
        real.close();
    }
}
