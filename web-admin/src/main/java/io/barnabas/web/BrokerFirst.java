package io.barnabas.web;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.LockSupport;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the broker start before the pages do: what follows, Jakarta Faces and REST, takes as much of the processor as the broker's own
 * start, and nobody looks at a page of a broker that does not serve yet. Waits ten seconds at most: a console of a broker that reads its
 * logs for long, or has no quorum, is there meanwhile. The broker tells of itself by its management bean.
 *
 * <p>Comes before every other listener of the console; called by the thread that deploys.
 */
public class BrokerFirst implements ServletContextListener {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerFirst.class);
    private static final long LOOK_EVERY_NANOS = 10_000_000;
    private static final int LOOKS_MAX = 1_000;

    @Override
    public void contextInitialized(ServletContextEvent event) {
        try {
            ObjectName broker = new ObjectName("io.barnabas:type=Broker");
            int looks = 0;
            while (starts(broker)
                    && ++looks < LOOKS_MAX
                    && !Thread.currentThread().isInterrupted()) {
                LockSupport.parkNanos(LOOK_EVERY_NANOS);
            }
        } catch (JMException e) {
            LOG.warn("The broker does not tell its state: the console begins beside it", e);
        }
    }

    /** Whether the broker is about to serve; it has not begun to start where there is no bean. */
    private static boolean starts(ObjectName broker) throws JMException {
        try {
            return "STARTING".equals(ManagementFactory.getPlatformMBeanServer().getAttribute(broker, "State"));
        } catch (InstanceNotFoundException notYet) {
            return true;
        }
    }
}
