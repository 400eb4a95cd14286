package io.barnabas.request;

import io.barnabas.port.Connection;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Queue;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.jspecify.annotations.Nullable;

/** A connection without a socket. */
public final class TestConnection implements Connection {
    private final long id;
    private final String listener;
    private boolean closed;
    private boolean finished;
    private long keptBytes; // guarded by this
    private long everKeptBytes; // guarded by this
    private @Nullable Queue<Runnable> eventLoop;

    public TestConnection(long id) {
        this(id, "PLAINTEXT");
    }

    public TestConnection(long id, String listener) {
        this.id = id;
        this.listener = listener;
    }

    /** From here on keeps what is to run on the event loop until {@link #runEventLoop}. */
    public TestConnection holdEventLoop() {
        eventLoop = new ArrayDeque<>();
        return this;
    }

    /** Runs what the event loop was given since; returns how much. */
    public int runEventLoop() {
        int ran = 0;
        for (Runnable task = eventLoop.poll(); task != null; task = eventLoop.poll()) {
            task.run();
            ran++;
        }
        return ran;
    }

    public boolean closed() {
        return closed;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return new InetSocketAddress("127.0.0.1", 40_000);
    }

    @Override
    public String listenerName() {
        return listener;
    }

    @Override
    public KafkaPrincipal principal() {
        return KafkaPrincipal.ANONYMOUS;
    }

    @Override
    public void execute(Runnable task) {
        if (eventLoop == null) {
            task.run();
        } else {
            eventLoop.add(task);
        }
    }

    @Override
    public synchronized Runnable keep(int bytes) {
        keptBytes += bytes;
        everKeptBytes += bytes;
        return () -> release(bytes);
    }

    private synchronized void release(int bytes) {
        keptBytes -= bytes;
    }

    /** What requests keep now. */
    public synchronized long keptBytes() {
        return keptBytes;
    }

    /** What requests have kept, given back or not. */
    public synchronized long everKeptBytes() {
        return everKeptBytes;
    }

    @Override
    public void finish() {
        finished = true;
    }

    /** Whether it was to end after its answers. */
    public boolean finished() {
        return finished;
    }

    @Override
    public void close() {
        closed = true;
    }
}
