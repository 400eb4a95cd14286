package io.barnabas.ra;

import jakarta.resource.spi.BootstrapContext;
import jakarta.resource.spi.UnavailableException;
import jakarta.resource.spi.XATerminator;
import jakarta.resource.spi.endpoint.MessageEndpoint;
import jakarta.resource.spi.endpoint.MessageEndpointFactory;
import jakarta.resource.spi.work.Work;
import jakarta.resource.spi.work.WorkContext;
import jakarta.resource.spi.work.WorkManager;
import jakarta.transaction.TransactionSynchronizationRegistry;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Timer;
import java.util.concurrent.atomic.AtomicInteger;
import javax.transaction.xa.XAResource;

/** The container's side of the contracts: a work manager that gives each work a thread, and an endpoint that may be late. */
final class FakeContainer implements BootstrapContext, MessageEndpointFactory {
    final AtomicInteger released = new AtomicInteger();
    private final io.barnabas.port.BrokerPortListener bean;
    private final AtomicInteger refusals;

    FakeContainer(io.barnabas.port.BrokerPortListener bean, int refusals) {
        this.bean = bean;
        this.refusals = new AtomicInteger(refusals);
    }

    /** The bean as the container hands it out. */
    private final class Endpoint implements MessageEndpoint, io.barnabas.port.BrokerPortListener {
        @Override
        public io.barnabas.port.RequestDispatcher onPort(io.barnabas.port.BrokerPort port) throws Exception {
            return bean.onPort(port);
        }

        @Override
        public void beforeDelivery(Method method) {}

        @Override
        public void afterDelivery() {}

        @Override
        public void release() {
            released.incrementAndGet();
        }
    }

    @Override
    public MessageEndpoint createEndpoint(XAResource resource) throws UnavailableException {
        if (refusals.getAndDecrement() > 0) {
            throw new UnavailableException("the application is not up yet");
        }
        return new Endpoint();
    }

    @Override
    public MessageEndpoint createEndpoint(XAResource resource, long timeout) throws UnavailableException {
        return createEndpoint(resource);
    }

    @Override
    public boolean isDeliveryTransacted(Method method) {
        return false;
    }

    @Override
    public String getActivationName() {
        return "broker";
    }

    @Override
    public Class<?> getEndpointClass() {
        return bean.getClass();
    }

    @Override
    public WorkManager getWorkManager() {
        return (WorkManager) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {WorkManager.class}, (proxy, method, args) -> {
                    new Thread((Work) args[0], "fake-work").start();
                    return 0L;
                });
    }

    @Override
    public XATerminator getXATerminator() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Timer createTimer() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isContextSupported(Class<? extends WorkContext> context) {
        return false;
    }

    @Override
    public TransactionSynchronizationRegistry getTransactionSynchronizationRegistry() {
        throw new UnsupportedOperationException();
    }
}
