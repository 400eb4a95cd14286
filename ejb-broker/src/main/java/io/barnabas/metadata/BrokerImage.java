package io.barnabas.metadata;

import java.util.List;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A registered broker. Immutable. */
public record BrokerImage(
        int id,
        long epoch,
        Uuid incarnationId,
        List<Endpoint> endpoints,
        @Nullable String rack,
        boolean fenced,
        boolean inControlledShutdown) {
    /** Where clients reach a broker on one listener. */
    public record Endpoint(String listener, String host, int port) {}
}
