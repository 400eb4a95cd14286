package io.barnabas.server;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the broker from outside its class loader, through the management bean that it registers: the container calls a
 * deployment a success whether or not the broker in it could start.
 */
final class BrokerWatch {
    private static final Logger LOG = Logger.getLogger(BrokerWatch.class.getName());
    private static final long LOOK_EVERY_NANOS = 10_000_000;
    private static final long LOOK_FOR_FAILURES_EVERY_NANOS = 250_000_000;

    private static final int LOOKS_BETWEEN_WORDS = 1_000;

    /** After a minute without a trace of the broker the container has not activated it. */
    private static final int LOOKS_FOR_THE_BEAN = 6_000;

    private final MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    private final ObjectName broker;
    private int looksInVain;
    private int looks;

    BrokerWatch() {
        try {
            broker = new ObjectName("io.barnabas:type=Broker");
        } catch (MalformedObjectNameException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Where clients reach the broker. */
    record Listening(List<String> listeners) {}

    /** Waits as long as the broker takes: recovery of a large log after a crash may need minutes. */
    Listening awaitServing() throws InterruptedException, StartFailure {
        while (true) {
            @Nullable Listening listening = look();
            if (listening != null) {
                return listening;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (++looks % LOOKS_BETWEEN_WORDS == 0) {
                System.out.println("The broker is not ready yet (after a crash it reads its logs again)…");
            }
            LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
    }

    /**
     * Looks on while the broker serves.
     *
     * @return why it serves no more and will not until it is started again; null if it was stopped in order
     */
    @Nullable
    String awaitFailure() {
        while (!Thread.interrupted()) {
            try {
                String state = (String) beans.getAttribute(broker, "State");
                if (state.equals("FAILED")) {
                    return (String) beans.getAttribute(broker, "Failure");
                }
            } catch (InstanceNotFoundException stopped) {
                return null;
            } catch (JMException e) {
                LOG.log(Level.WARNING, "The broker does not tell its state", e);
                return null;
            }
            LockSupport.parkNanos(LOOK_FOR_FAILURES_EVERY_NANOS);
        }
        return null;
    }

    private @Nullable Listening look() throws StartFailure {
        try {
            String state = (String) beans.getAttribute(broker, "State");
            if (state.equals("SERVING")) {
                return new Listening(List.of((String[]) beans.getAttribute(broker, "Listeners")));
            }
            if (state.equals("FAILED") || state.equals("STOPPED")) {
                String failure = (String) beans.getAttribute(broker, "Failure");
                throw new StartFailure(failure.isEmpty() ? "the broker has stopped, see above" : failure);
            }
            return null;
        } catch (InstanceNotFoundException notYet) {
            if (++looksInVain > LOOKS_FOR_THE_BEAN) {
                throw new StartFailure("the container has not activated the broker, see above");
            }
            return null;
        } catch (JMException e) {
            throw new StartFailure("the broker does not tell its state: " + e);
        }
    }
}
