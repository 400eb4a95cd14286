package io.barnabas.metadata;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A registered broker. Immutable.
 *
 * @param epoch index of the broker's latest registration in the journal; rises with each
 * @param incarnationId random, made by the broker at each start
 * @param logDirs ids of its data directories
 * @param cordonedDirs those of them that take no new replicas (KIP-1066); empty until the broker says so
 * @param features the levels it can run
 */
public record BrokerImage(
        int id,
        long epoch,
        Uuid incarnationId,
        List<Endpoint> endpoints,
        @Nullable String rack,
        boolean fenced,
        boolean inControlledShutdown,
        List<Uuid> logDirs,
        List<Uuid> cordonedDirs,
        Map<String, FeatureRange> features) {
    /** Whether no directory takes new replicas. */
    public boolean isCordoned() {
        return !logDirs.isEmpty() && cordonedDirs.containsAll(logDirs);
    }

    /**
     * Where clients reach a broker on one listener.
     *
     * @param securityProtocol {@link org.apache.kafka.common.security.auth.SecurityProtocol#id}
     */
    public record Endpoint(String listener, String host, int port, short securityProtocol) {}

    /** Levels of a feature from {@code min} to {@code max}. */
    public record FeatureRange(short min, short max) {
        /** Whether {@code level} is one of them. */
        public boolean contains(short level) {
            return level >= min && level <= max;
        }
    }
}
