package io.barnabas.request;

import io.barnabas.port.Connection;
import java.net.InetSocketAddress;
import org.apache.kafka.common.security.auth.KafkaPrincipal;

/** The connection of a client whose request another node has forwarded: what is known of it here. Safe from any thread. */
record ForwardedConnection(KafkaPrincipal principal, InetSocketAddress remoteAddress, String listenerName)
        implements Connection {
    @Override
    public long id() {
        return -1;
    }

    /** It has no event loop here: the task runs at once. */
    @Override
    public void execute(Runnable task) {
        task.run();
    }

    /** Nothing that is forwarded keeps its frame. */
    @Override
    public Runnable keep(int bytes) {
        return () -> {};
    }

    @Override
    public void finish() {
        // nor anything that would end it
    }

    @Override
    public void close() {
        // the answer says what went wrong
    }
}
