package io.barnabas.ra;

import io.barnabas.log.LogManager;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.net.PeerClient;
import io.barnabas.net.SocketBounds;
import io.barnabas.net.SocketServer;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.BrokerPortListener;
import io.barnabas.port.ClusterKey;
import io.barnabas.port.PeerConnector;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.port.TransactionBranches;
import io.barnabas.time.AgreedClock;
import io.barnabas.time.Clock;
import io.barnabas.time.SystemClock;
import io.barnabas.time.Ticker;
import jakarta.resource.spi.UnavailableException;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A broker port that needs no container: it makes clock, ticker, workers and scans, rings the listener, and opens the sockets once it has
 * the dispatcher. The resource adapter has one for each activation; tests use it alone. {@link #open} and {@link #close} may come
 * from different threads; a close that comes while the broker starts waits for the start.
 */
public final class StandalonePort implements BrokerPort, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StandalonePort.class);
    /** Of these four follow the metadata at most, and one writes their entities. */
    private static final int WORKERS = 8;

    static final int SCANS = 2;

    /** Requests of clients that may wait for a look into the logs; more are told to come again. */
    static final int SCANS_WAITING_MAX = 1_000;

    /** Names of other brokers' hosts that may wait to be looked up. */
    private static final int LOOKUPS_WAITING_MAX = 100;

    private final Clock clock = new AgreedClock(new SystemClock());
    private final TickerThread ticker = new TickerThread();
    private final ExecutorService workers = PortThreads.workers(WORKERS);
    private final ExecutorService scans = PortThreads.scans(SCANS, SCANS_WAITING_MAX);
    private final ExecutorService lookups = PortThreads.lookups(LOOKUPS_WAITING_MAX);
    private final PeerClient peers = new PeerClient(clock, lookups);
    private final LogOpener opener;
    private final SocketBounds bounds;
    private volatile @Nullable LogManager logs;
    private volatile @Nullable SocketServer server;
    private @Nullable RequestDispatcher dispatcher; // guarded by this
    private boolean closed; // guarded by this
    private @Nullable ClusterKey key; // guarded by this
    private volatile boolean closing;

    public StandalonePort(LogOpener opener) {
        this(opener, SocketBounds.defaults());
    }

    public StandalonePort(LogOpener opener, SocketBounds bounds) {
        this.opener = opener;
        this.bounds = bounds;
    }

    /**
     * Starts the broker and opens its sockets. If this fails the port is closed, unless the listener was not ready to be called.
     *
     * @throws UnavailableException if the listener is not ready: it may be tried again
     * @throws Exception what the listener threw, or an IOException if a socket cannot be opened
     */
    public synchronized void open(BrokerPortListener listener) throws Exception {
        if (closed) {
            throw new IllegalStateException("the port is closed");
        }
        try {
            @Nullable RequestDispatcher broker = listener.onPort(this);
            if (broker == null) {
                throw new UnavailableException("the application's beans are not up yet");
            }
            dispatcher = broker;
            SocketServer sockets = new SocketServer(broker, clock, bounds);
            if (key != null) {
                sockets.secure(key);
            }
            server = sockets;
            open(sockets, broker);
            broker.onOpen();
        } catch (UnavailableException e) {
            throw e;
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    private static void open(SocketServer sockets, RequestDispatcher broker) throws IOException {
        try {
            sockets.start();
        } catch (IOException e) {
            broker.onCannotOpen(e);
            throw e;
        }
    }

    /** Takes leave, then closes sockets, dispatcher, connections to others, logs and threads, in this order. Idempotent. */
    @Override
    public void close() {
        closing = true; // before the lock, which a start holds as long as it waits
        closeOnce();
    }

    @Override
    public boolean closing() {
        return closing;
    }

    private synchronized void closeOnce() {
        if (closed) {
            return;
        }
        closed = true;
        RequestDispatcher broker = dispatcher;
        SocketServer sockets = server;
        if (broker != null && sockets != null) {
            step("leaving", broker::leave);
        }
        if (sockets != null) {
            step("sockets", sockets::stop);
        }
        if (broker != null) {
            step("dispatcher", broker::close);
        }
        step("peers", peers);
        lookups.shutdown();
        PortThreads.join(lookups);
        step("ticker", ticker::close);
        scans.shutdown();
        PortThreads.join(scans);
        if (logs instanceof AutoCloseable open) {
            step(
                    "logs",
                    () -> onWorker(() -> {
                        open.close();
                        return true;
                    }));
        }
        workers.shutdown();
        PortThreads.join(workers);
    }

    private static void step(String what, AutoCloseable action) {
        try {
            action.close();
        } catch (Exception e) { // the rest must be closed whatever happens
            LOG.error("closing failed; what={}", what, e);
        }
    }

    /**
     * The running broker's transactions, for the resource adapter's connections.
     *
     * @throws UnavailableException if no broker runs
     */
    public synchronized TransactionBranches branches() throws UnavailableException {
        if (dispatcher == null || closed) {
            throw new UnavailableException("the broker is not running");
        }
        return dispatcher.branches();
    }

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public Ticker ticker() {
        return ticker;
    }

    @Override
    public Executor workers() {
        return workers;
    }

    @Override
    public Executor scans() {
        return scans;
    }

    @Override
    public LogManager openLogs(LogManagerSettings settings) throws IOException {
        if (logs != null) {
            throw new IllegalStateException("the logs are open already");
        }
        LogManager opened = onWorker(() -> opener.open(settings, clock, ticker, workers));
        logs = opened;
        return opened;
    }

    /** Opening and closing the log touches files, which the caller's thread must not: a container may interrupt it. */
    private <T> T onWorker(Callable<T> task) throws IOException {
        CompletableFuture<T> done = new CompletableFuture<>();
        workers.execute(() -> {
            try {
                done.complete(task.call());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        try {
            return done.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            if (e.getCause() instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw e;
        }
    }

    @Override
    public int boundPort(String listenerName) {
        SocketServer sockets = server;
        return sockets == null ? -1 : sockets.boundPort(listenerName);
    }

    @Override
    public synchronized void secure(ClusterKey key) throws IOException {
        this.key = key;
        peers.secure(key);
    }

    @Override
    public PeerConnector peers() {
        return peers;
    }

    @Override
    public int openConnections() {
        SocketServer sockets = server;
        return sockets == null ? 0 : sockets.openConnections();
    }
}
