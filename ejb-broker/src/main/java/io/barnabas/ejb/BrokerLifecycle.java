package io.barnabas.ejb;

import io.barnabas.admin.BrokerViews;
import io.barnabas.config.BrokerConfig;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.RequestDispatcher;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.PreDestroy;
import jakarta.ejb.ConcurrencyManagement;
import jakarta.ejb.ConcurrencyManagementType;
import jakarta.ejb.Singleton;
import jakarta.ejb.Startup;
import jakarta.ejb.TransactionManagement;
import jakarta.ejb.TransactionManagementType;
import jakarta.inject.Inject;
import java.util.Optional;
import org.eclipse.microprofile.config.ConfigProvider;
import org.eclipse.microprofile.metrics.MetricRegistry;
import org.jspecify.annotations.Nullable;

/**
 * Holds the broker while the application runs. Everything it does is to hand on: the configuration to {@link BrokerNode}, the node to
 * the resource adapter, the state to whoever asks. {@link #start} is called by the doorbell's thread, the rest by any.
 */
@Singleton
@Startup
@ConcurrencyManagement(ConcurrencyManagementType.BEAN)
@TransactionManagement(TransactionManagementType.BEAN)
public class BrokerLifecycle {
    private static final String VERSION = Optional.ofNullable(
                    BrokerLifecycle.class.getPackage().getImplementationVersion())
            .orElse("");

    @Inject
    private MetricRegistry registry;

    @Inject
    private ApplicationUp application;

    private final BrokerStatus status = new BrokerStatus();
    private volatile @Nullable BrokerViews views;

    /** Called by the container when all beans of the application can be called: such is the order of a start-up bean. */
    @PostConstruct
    void up() {
        application.isNow();
    }

    /**
     * Starts the broker.
     *
     * @throws Exception if it cannot start, with a message for the operator
     */
    public RequestDispatcher start(BrokerPort port) throws Exception {
        return status.watch(port, () -> {
            BrokerConfig config = BrokerConfig.of(ConfiguredKeys.of(ConfigProvider.getConfig()));
            BrokerNode started = BrokerNode.start(port, config, HazelcastGrid.of(config), status::onFailure);
            try {
                return shown(started);
            } catch (RuntimeException | Error e) {
                started.dispatcher().close();
                throw e;
            }
        });
    }

    private BrokerStatus.Start shown(BrokerNode started) {
        NodeViews pictures = new NodeViews(started, VERSION);
        pictures.start();
        views = pictures;
        BrokerMetrics metrics = new BrokerMetrics(registry, started, pictures);
        metrics.start();
        String interBroker = started.config().atStart().listeners().interBroker();
        return new BrokerStatus.Start(started.dispatcher(), interBroker, () -> {
            metrics.close();
            pictures.close();
        });
    }

    @PreDestroy
    void end() {
        BrokerStatus.unregister();
    }

    /** How far the broker has come. */
    public BrokerStatus status() {
        return status;
    }

    /** Pictures of the broker. @throws IllegalStateException before it has started */
    public BrokerViews views() {
        return Optional.<BrokerViews>ofNullable(views)
                .orElseThrow(() -> new IllegalStateException("the broker has not started yet"));
    }
}
