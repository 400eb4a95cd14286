package io.barnabas.request;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/**
 * The one list of what this broker serves: {@link HandlerDispatcher} finds an API's handler here and {@link ApiVersionsHandler}
 * reports it, so nothing can be advertised that is not served.
 *
 * <p>Filled by the composition root before the first request and sealed by it; afterwards it is read-only and safe from any thread.
 */
public final class HandlerRegistry {
    private final @Nullable String interBrokerListener;
    private final @Nullable ApiHandler<?>[] byId = new ApiHandler<?>[highestId() + 1];
    private boolean sealed; // written before the dispatcher is published to the sockets

    /** Of a broker without a listener for others. */
    public HandlerRegistry() {
        this(null);
    }

    /** @param interBrokerListener the name of the listener that brokers have for each other; null if there is none */
    public HandlerRegistry(@Nullable String interBrokerListener) {
        this.interBrokerListener = interBrokerListener;
    }

    /**
     * Adds handlers.
     *
     * @throws IllegalStateException if an API has a handler already, or the registry is sealed
     * @throws IllegalArgumentException if a handler states versions that the protocol does not have
     */
    public HandlerRegistry add(Collection<? extends ApiHandler<?>> handlers) {
        handlers.forEach(this::add);
        return this;
    }

    /** Adds one handler: see {@link #add(Collection)}. */
    public HandlerRegistry add(ApiHandler<?> handler) {
        ApiKeys api = handler.api();
        if (sealed) {
            throw new IllegalStateException("handlers are registered before the sockets open: " + api);
        }
        if (byId[api.id] != null) {
            throw new IllegalStateException("two handlers for " + api);
        }
        if (handler.lowestVersion() < api.oldestVersion()
                || handler.highestVersion() > api.latestVersion(true)
                || handler.highestAdvertisedVersion() > handler.highestVersion()
                || handler.lowestVersion() > handler.highestAdvertisedVersion()) {
            throw new IllegalArgumentException("versions of " + api + " that are not in the protocol: "
                    + handler.lowestVersion() + "-" + handler.highestVersion());
        }
        byId[api.id] = handler;
        return this;
    }

    /** No handler can be added from here on. */
    public HandlerRegistry seal() {
        sealed = true;
        return this;
    }

    /** The handler of an API in a version, or null if it is not served on that listener. */
    public @Nullable ApiHandler<?> handler(ApiKeys api, short version, String listener) {
        @Nullable ApiHandler<?> handler = byId[api.id];
        return handler == null
                        || version < handler.lowestVersion()
                        || version > handler.highestVersion()
                        || (handler.interBrokerOnly() && !isInterBroker(listener))
                ? null
                : handler;
    }

    /** Whether this is the listener that brokers have for each other. */
    public boolean isInterBroker(String listener) {
        return listener.equals(interBrokerListener);
    }

    /** What is served on a listener, as ApiVersions says it: Produce from version 0 on, which older clients ask for (KAFKA-18659). */
    public List<ApiVersion> served(String listener) {
        List<ApiVersion> served = new ArrayList<>();
        for (@Nullable ApiHandler<?> handler : byId) {
            if (handler != null && (!handler.interBrokerOnly() || isInterBroker(listener))) {
                short lowest = handler.api() == ApiKeys.PRODUCE
                        ? ApiKeys.PRODUCE_API_VERSIONS_RESPONSE_MIN_VERSION
                        : handler.lowestVersion();
                served.add(new ApiVersion()
                        .setApiKey(handler.api().id)
                        .setMinVersion(lowest)
                        .setMaxVersion(handler.highestAdvertisedVersion()));
            }
        }
        return served;
    }

    private static int highestId() {
        int highest = 0;
        for (ApiKeys api : ApiKeys.values()) {
            highest = Math.max(highest, api.id);
        }
        return highest;
    }
}
