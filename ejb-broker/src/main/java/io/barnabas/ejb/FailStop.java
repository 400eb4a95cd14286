package io.barnabas.ejb;

import io.barnabas.request.HandlerDispatcher;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a broker whose metadata cannot go on: its journal failed, or an entry could not be applied. Such a broker does not know
 * what holds any more, so it answers nothing from then on: requests close their connections, and whoever runs the process is told to
 * end it. A restart is the way back. Comes between the metadata's threads, which report, and {@link BrokerLifecycle}. Safe from any
 * thread; only the first failure counts.
 */
final class FailStop {
    private static final Logger LOG = LoggerFactory.getLogger(FailStop.class);

    private final Consumer<Throwable> told;
    private final AtomicBoolean failed = new AtomicBoolean();
    private volatile @Nullable HandlerDispatcher dispatcher;

    /** @param told what ended the broker, once */
    FailStop(Consumer<Throwable> told) {
        this.told = told;
    }

    /** The dispatcher that stops serving after a failure, be it one that has been already. */
    void guard(HandlerDispatcher serving) {
        dispatcher = serving;
        if (failed.get()) {
            serving.halt();
        }
    }

    void onFailure(Throwable cause) {
        if (!failed.compareAndSet(false, true)) {
            LOG.warn("another failure after the one that ended the broker", cause);
            return;
        }
        LOG.error("the broker stops serving: its metadata cannot go on; a restart is the way back", cause);
        HandlerDispatcher serving = dispatcher;
        if (serving != null) {
            serving.halt();
        }
        told.accept(cause);
    }
}
