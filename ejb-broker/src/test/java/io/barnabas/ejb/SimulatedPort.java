package io.barnabas.ejb;

import io.barnabas.log.FileStore;
import io.barnabas.log.LogDirectories;
import io.barnabas.log.LogEnvironment;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.ClusterKey;
import io.barnabas.port.PeerConnector;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.io.IOException;
import java.util.concurrent.Executor;

/** What the resource adapter offers a broker, in a simulation. */
record SimulatedPort(Clock clock, FileStore disk, SimulatedLife life, PeerConnector peers) implements BrokerPort {
    @Override
    public Ticker ticker() {
        return life.ticker();
    }

    @Override
    public Executor workers() {
        return life.workers();
    }

    @Override
    public Executor scans() {
        return life.workers();
    }

    @Override
    public LogDirectories openLogs(LogManagerSettings settings) throws IOException {
        return LogDirectories.open(settings, new LogEnvironment(disk, clock, ticker(), life));
    }

    @Override
    public void secure(ClusterKey key) {
        throw new UnsupportedOperationException("nobody listens in a simulation");
    }

    @Override
    public int boundPort(String listenerName) {
        return -1;
    }

    @Override
    public int openConnections() {
        return 0;
    }
}
