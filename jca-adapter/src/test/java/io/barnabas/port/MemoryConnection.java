package io.barnabas.port;

import io.barnabas.port.MemoryNetwork.Listening;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.apache.kafka.common.security.auth.KafkaPrincipal;

/** The server's end of a connection of a {@link MemoryNetwork}. */
final class MemoryConnection implements Connection {
    private final MemoryNetwork network;
    private final Listening listening;
    private final Runnable onFinish;
    private final Runnable onClose;
    private final long id;
    private boolean told; // of the ticker's thread

    MemoryConnection(MemoryNetwork network, Listening listening, Runnable onFinish, Runnable onClose) {
        this.network = network;
        this.listening = listening;
        this.onFinish = onFinish;
        this.onClose = onClose;
        this.id = network.nextId();
    }

    RequestDispatcher dispatcher() {
        return listening.dispatcher();
    }

    /** The connection is gone; on the ticker's thread. */
    void onClosed() {
        if (!told) {
            told = true;
            listening.dispatcher().onConnectionClosed(this);
        }
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
    }

    @Override
    public String listenerName() {
        return listening.listenerName();
    }

    @Override
    public KafkaPrincipal principal() {
        return KafkaPrincipal.ANONYMOUS;
    }

    @Override
    public void execute(Runnable task) {
        network.ticker().after(0, task);
    }

    @Override
    public Runnable keep(int bytes) {
        return () -> {};
    }

    @Override
    public void finish() {
        network.ticker().after(0, onFinish);
    }

    @Override
    public void close() {
        network.ticker().after(0, onClose);
    }
}
