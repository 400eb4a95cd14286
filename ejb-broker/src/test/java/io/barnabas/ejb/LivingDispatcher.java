package io.barnabas.ejb;

import io.barnabas.port.Connection;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.port.Responder;
import io.barnabas.port.TransactionBranches;
import io.barnabas.wire.RequestFrame;
import org.apache.kafka.common.protocol.ApiKeys;

/** A broker's dispatcher, as long as its process lives. */
record LivingDispatcher(RequestDispatcher real, SimulatedLife life) implements RequestDispatcher {
    @Override
    public ListenerSettings listeners() {
        return real.listeners();
    }

    @Override
    public boolean serves(ApiKeys api, short version, String listenerName) {
        return real.serves(api, version, listenerName);
    }

    @Override
    public void dispatch(RequestFrame request, Connection connection, Responder responder) {
        life.run(() -> real.dispatch(request, connection, responder));
    }

    @Override
    public void onConnectionClosed(Connection connection) {
        life.run(() -> real.onConnectionClosed(connection));
    }

    @Override
    public void onOpen() {
        real.onOpen();
    }

    @Override
    public void leave() {
        real.leave();
    }

    @Override
    public TransactionBranches branches() {
        return real.branches();
    }

    @Override
    public void close() {
        real.close();
    }
}
