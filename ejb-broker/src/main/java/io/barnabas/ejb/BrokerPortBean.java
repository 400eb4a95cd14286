package io.barnabas.ejb;

import io.barnabas.port.BrokerPort;
import io.barnabas.port.BrokerPortListener;
import io.barnabas.port.RequestDispatcher;
import jakarta.ejb.EJB;
import jakarta.ejb.MessageDriven;
import jakarta.ejb.TransactionManagement;
import jakarta.ejb.TransactionManagementType;
import jakarta.inject.Inject;
import org.jspecify.annotations.Nullable;

/**
 * The doorbell: the container activates this bean when the application is up, the resource adapter rings once, and from then on the
 * two sides talk without the container. Bound to the resource adapter by its listener type; it takes no part in transactions.
 */
@MessageDriven
@TransactionManagement(TransactionManagementType.BEAN)
public class BrokerPortBean implements BrokerPortListener {
    @EJB
    private BrokerLifecycle lifecycle;

    @Inject
    private ApplicationUp application;

    @Override
    public @Nullable RequestDispatcher onPort(BrokerPort port) throws Exception {
        return application.isUp() ? lifecycle.start(port) : null;
    }
}
