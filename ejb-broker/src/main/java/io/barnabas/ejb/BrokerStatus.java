package io.barnabas.ejb;

import io.barnabas.port.BrokerPort;
import io.barnabas.port.Connection;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.port.Responder;
import io.barnabas.port.TransactionBranches;
import io.barnabas.wire.RequestFrame;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.Callable;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far the broker has come, for the launcher (through JMX: it is outside the application's class loader), the health checks and an
 * operator. Serving means that every listener is open, which comes after the logs have been recovered.
 *
 * <p>Written by the resource adapter's thread that starts and stops the broker; read by any.
 */
public final class BrokerStatus implements BrokerStatusMXBean {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerStatus.class);
    private static final String NAME = "io.barnabas:type=Broker";

    /** The way of a broker. */
    public enum State {
        STARTING,
        SERVING,
        FAILED,
        STOPPED
    }

    /**
     * A broker that has started.
     *
     * @param interBroker the listener that is not for clients; null if all are
     * @param beforeClose what to close before it
     */
    record Start(RequestDispatcher broker, @Nullable String interBroker, Runnable beforeClose) {}

    private volatile @Nullable BrokerPort port;
    private volatile @Nullable List<ListenerSettings.Listener> listeners;
    private volatile @Nullable String interBroker;
    private volatile String failure = "";
    private volatile boolean opened;
    private volatile boolean stopped;

    /** Runs a start and keeps what comes of it; the dispatcher that is returned tells of its closing. */
    RequestDispatcher watch(BrokerPort port, Callable<Start> start) throws Exception {
        this.port = port;
        failure = "";
        opened = false;
        stopped = false;
        register();
        try {
            Start started = start.call();
            interBroker = started.interBroker();
            listeners = started.broker().listeners().listeners();
            return new Watched(started);
        } catch (Exception | LinkageError e) {
            onFailure(e);
            throw e;
        }
    }

    /** The broker serves no more, and will not until it is started again. The first reason is kept. */
    void onFailure(Throwable cause) {
        if (failure.isEmpty()) {
            String message = cause.getMessage();
            failure = message == null || message.isEmpty() ? cause.toString() : message;
        }
    }

    private void register() {
        try {
            unregister();
            ManagementFactory.getPlatformMBeanServer().registerMBean(this, new ObjectName(NAME));
        } catch (JMException e) {
            LOG.warn("the broker's state is not shown in JMX", e);
        }
    }

    /**
     * Drops the bean, which would keep the application's class loader alive after an undeployment. Comes with the end of the
     * application and not of the broker, whose failure somebody may still want to read.
     */
    static void unregister() {
        try {
            ObjectName name = new ObjectName(NAME);
            if (ManagementFactory.getPlatformMBeanServer().isRegistered(name)) {
                ManagementFactory.getPlatformMBeanServer().unregisterMBean(name);
            }
        } catch (JMException e) {
            LOG.warn("the broker's state stays in JMX", e);
        }
    }

    public State state() {
        if (!failure.isEmpty()) {
            return State.FAILED;
        }
        if (stopped) {
            return State.STOPPED;
        }
        return serving() ? State.SERVING : State.STARTING;
    }

    private boolean serving() {
        BrokerPort from = port;
        List<ListenerSettings.Listener> opening = listeners;
        return opened
                && from != null
                && opening != null
                && opening.stream().allMatch(l -> from.boundPort(l.name()) > 0);
    }

    @Override
    public String getState() {
        return state().name();
    }

    @Override
    public String getFailure() {
        return failure;
    }

    @Override
    public String[] getListeners() {
        BrokerPort from = port;
        List<ListenerSettings.Listener> opened = listeners;
        return from == null || opened == null
                ? new String[0]
                : opened.stream()
                        .filter(l -> !l.name().equals(interBroker))
                        .map(l -> (l.host().contains(":") ? "[" + l.host() + "]" : l.host())
                                + ":"
                                + from.boundPort(l.name()))
                        .toArray(String[]::new);
    }

    /** Hands everything on and notices the end. */
    private final class Watched implements RequestDispatcher {
        private final RequestDispatcher broker;
        private final Runnable beforeClose;

        Watched(Start started) {
            this.broker = started.broker();
            this.beforeClose = started.beforeClose();
        }

        @Override
        public ListenerSettings listeners() {
            return broker.listeners();
        }

        @Override
        public boolean serves(ApiKeys api, short version, String listenerName) {
            return broker.serves(api, version, listenerName);
        }

        @Override
        public void dispatch(RequestFrame request, Connection connection, Responder responder) {
            broker.dispatch(request, connection, responder);
        }

        @Override
        public void onOpen() {
            broker.onOpen();
            opened = true;
        }

        @Override
        public void onCannotOpen(Exception cause) {
            onFailure(cause);
        }

        @Override
        public TransactionBranches branches() {
            return broker.branches();
        }

        @Override
        public void onConnectionClosed(Connection connection) {
            broker.onConnectionClosed(connection);
        }

        @Override
        public void leave() {
            broker.leave();
        }

        @Override
        public void close() {
            stopped = true;
            beforeClose.run();
            broker.close();
        }
    }
}
