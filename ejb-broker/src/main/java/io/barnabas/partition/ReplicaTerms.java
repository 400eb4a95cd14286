package io.barnabas.partition;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.Metadata;
import io.barnabas.time.Clock;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What a leader judges its followers by.
 *
 * @param brokerId this broker's
 * @param lagTimeMaxMs {@code replica.lag.time.max.ms}
 */
public record ReplicaTerms(int brokerId, Clock clock, LongSupplier lagTimeMaxMs, Metadata metadata) {
    private static final long ANY_EPOCH = -1;

    long nowMs() {
        return clock.monotonicMillis();
    }

    long lagMaxMs() {
        return lagTimeMaxMs.getAsLong();
    }

    /** Whether the controller would take the broker into an ISR: unfenced, not about to stop, and the one that has fetched (I7). */
    boolean mayBeInSync(int broker, long brokerEpoch) {
        Optional<BrokerImage> known = metadata.image().broker(broker);
        return known.isPresent()
                && !known.get().fenced()
                && !known.get().inControlledShutdown()
                && (brokerEpoch == ANY_EPOCH || brokerEpoch == known.get().epoch());
    }

    boolean inService(int broker) {
        return metadata.image().broker(broker).filter(known -> !known.fenced()).isPresent();
    }

    /** A fetch of an earlier life of the broker, which has registered again since. */
    boolean isPast(int broker, long brokerEpoch) {
        return brokerEpoch != ANY_EPOCH
                && metadata.image().broker(broker).map(BrokerImage::epoch).orElse(ANY_EPOCH) > brokerEpoch;
    }

    long brokerEpoch(int broker) {
        return metadata.image().broker(broker).map(BrokerImage::epoch).orElse(ANY_EPOCH);
    }
}
