package io.barnabas.net;

import io.barnabas.port.Connection;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.port.Responder;
import io.barnabas.port.TransactionBranches;
import io.barnabas.wire.RequestFrame;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** A broker without a broker: answers every request with the API's default response, unless told otherwise. */
public class FakeDispatcher implements RequestDispatcher {
    /** Takes a request. */
    @FunctionalInterface
    public interface Handler {
        void handle(RequestFrame request, Connection connection, Responder responder);
    }

    public static final Handler DEFAULT_ANSWER =
            (request, connection, responder) -> responder.respond(answerTo(request));

    public final AtomicInteger closedConnections = new AtomicInteger();
    public volatile boolean closed;
    private final ListenerSettings settings;
    private volatile Handler handler = DEFAULT_ANSWER;

    public FakeDispatcher(ListenerSettings settings) {
        this.settings = settings;
    }

    public static ListenerSettings settings() {
        return settingsOn(0);
    }

    public static ListenerSettings settingsOn(int port) {
        return new ListenerSettings(
                List.of(new ListenerSettings.Listener("PLAINTEXT", "127.0.0.1", port)),
                2,
                104_857_600,
                600_000,
                Integer.MAX_VALUE,
                Integer.MAX_VALUE,
                -1,
                -1,
                1000,
                100,
                -1);
    }

    @Override
    public TransactionBranches branches() {
        throw new UnsupportedOperationException("a fake has no transactions");
    }

    public static ApiMessage answerTo(RequestFrame request) {
        return request.api().messageType.newResponse();
    }

    public FakeDispatcher answering(Handler with) {
        handler = with;
        return this;
    }

    @Override
    public ListenerSettings listeners() {
        return settings;
    }

    @Override
    public boolean serves(ApiKeys api, short version, String listenerName) {
        return api.hasValidVersion() && version >= api.oldestVersion() && version <= api.latestVersion();
    }

    @Override
    public void dispatch(RequestFrame request, Connection connection, Responder responder) {
        if (!serves(request.api(), request.version(), connection.listenerName())) {
            responder.respond(answerTo(request), (short) 0);
            return;
        }
        handler.handle(request, connection, responder);
    }

    @Override
    public void onConnectionClosed(Connection connection) {
        closedConnections.incrementAndGet();
    }

    @Override
    public void leave() {}

    @Override
    public void close() {
        closed = true;
    }
}
