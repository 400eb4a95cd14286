package io.barnabas.ra;

import io.barnabas.port.BrokerPortListener;
import jakarta.resource.spi.UnavailableException;
import jakarta.resource.spi.endpoint.MessageEndpoint;
import jakarta.resource.spi.endpoint.MessageEndpointFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One activation of the broker's bean: waits until the application is up, hands the bean a port, opens the sockets. Rings once, on a
 * thread of its own, so that the deployment which activates it can end; closed by the container when the application or the
 * resource adapter stops.
 */
final class Doorbell implements Runnable, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Doorbell.class);
    private static final long RETRY_MS = 100;
    private static final int RETRIES = 1200; // two minutes

    private final MessageEndpointFactory endpoints;
    private final StandalonePort port;
    private final CountDownLatch closing = new CountDownLatch(1);

    Doorbell(MessageEndpointFactory endpoints, StandalonePort port) {
        this.endpoints = endpoints;
        this.port = port;
    }

    @Override
    public void run() {
        try {
            ring();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.info("the broker was not started: the container stops");
        } catch (Exception e) {
            if (closing.getCount() == 0) {
                LOG.info("the broker was not started: {}", e.getMessage());
                return;
            }
            LOG.error("the broker does not start, its sockets stay closed: {}", e.getMessage(), e);
        }
    }

    private void ring() throws Exception {
        for (int left = RETRIES; ; left--) {
            try {
                ringOnce();
                return;
            } catch (UnavailableException e) {
                if (left == 0 || closing.await(RETRY_MS, TimeUnit.MILLISECONDS)) {
                    throw e;
                }
            }
        }
    }

    /** @throws UnavailableException if the application is not ready to be called yet: nothing has happened */
    private void ringOnce() throws Exception {
        MessageEndpoint endpoint = endpoints.createEndpoint(null);
        try {
            if (closing.getCount() > 0) {
                port.open((BrokerPortListener) endpoint);
            }
        } finally {
            endpoint.release();
        }
    }

    /** Stops waiting, or closes what was opened: sockets, broker, log. Idempotent. */
    @Override
    public void close() {
        closing.countDown();
        port.close();
    }
}
