package io.barnabas.ra;

import io.barnabas.log.LogDirectories;
import io.barnabas.log.LogEnvironment;
import io.barnabas.log.LogManager;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.log.NioFileStore;
import io.barnabas.log.OwnLogThreads;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import jakarta.resource.NotSupportedException;
import jakarta.resource.ResourceException;
import jakarta.resource.spi.ActivationSpec;
import jakarta.resource.spi.BootstrapContext;
import jakarta.resource.spi.Connector;
import jakarta.resource.spi.ResourceAdapter;
import jakarta.resource.spi.TransactionSupport.TransactionSupportLevel;
import jakarta.resource.spi.endpoint.MessageEndpointFactory;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/**
 * Where the container's life cycle meets the broker's: sockets and file channels live in this archive, outside the application, and
 * follow the activation of the broker's bean ({@link Doorbell}). Called by the container, on any of its threads.
 */
@Connector(
        displayName = "Barnabas",
        vendorName = "Barnabas",
        eisType = "Barnabas",
        version = "0.1",
        transactionSupport = TransactionSupportLevel.NoTransaction)
public class BarnabasResourceAdapter implements ResourceAdapter {
    private final transient Map<MessageEndpointFactory, Doorbell> doorbells = new ConcurrentHashMap<>();
    private final transient LogOpener logs;

    public BarnabasResourceAdapter() {
        this(BarnabasResourceAdapter::openLogs);
    }

    BarnabasResourceAdapter(LogOpener logs) {
        this.logs = logs;
    }

    static LogManager openLogs(LogManagerSettings settings, Clock clock, Ticker ticker, Executor workers)
            throws IOException {
        OwnLogThreads threads = new OwnLogThreads(settings.cleanerThreads());
        return LogDirectories.open(settings, new LogEnvironment(new NioFileStore(), clock, ticker, threads));
    }

    /**
     * Nothing is taken from the container, not even its threads: one that the work manager makes for our call keeps our class loader
     * (by the access control context that a thread inherits) and lives on in its pool when the archive is long undeployed.
     */
    @Override
    public void start(BootstrapContext context) {
        // the endpoints' activations begin what there is to do
    }

    /**
     * Closes what no deactivation has closed. The container calls this on a thread that it made for us and keeps for others: that thread
     * must not go on with our class loader.
     */
    @Override
    public void stop() {
        doorbells.keySet().forEach(this::close);
        RecordMethods.forgetOurs();
        Thread thread = Thread.currentThread();
        if (thread.getContextClassLoader() == BarnabasResourceAdapter.class.getClassLoader()) {
            thread.setContextClassLoader(ResourceAdapter.class.getClassLoader());
        }
    }

    @Override
    public void endpointActivation(MessageEndpointFactory endpoints, ActivationSpec spec) throws ResourceException {
        if (!(spec instanceof BrokerPortActivation)) {
            throw new NotSupportedException("cannot activate " + spec.getClass().getName());
        }
        Doorbell doorbell = new Doorbell(endpoints, new StandalonePort(logs));
        doorbells.put(endpoints, doorbell);
        PortThreads.named("barnabas-doorbell").newThread(doorbell).start();
    }

    @Override
    public void endpointDeactivation(MessageEndpointFactory endpoints, ActivationSpec spec) {
        close(endpoints);
    }

    private void close(MessageEndpointFactory endpoints) {
        @Nullable Doorbell doorbell = doorbells.remove(endpoints);
        if (doorbell != null) {
            doorbell.close();
        }
    }

    /** Nothing of the doorbell is transactional: an empty array, which recovery expects instead of null. */
    @Override
    public XAResource[] getXAResources(ActivationSpec[] specs) {
        return new XAResource[0];
    }

    /** Equal by configuration, as the specification asks, and there is none. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BarnabasResourceAdapter;
    }

    @Override
    public int hashCode() {
        return BarnabasResourceAdapter.class.hashCode();
    }
}
