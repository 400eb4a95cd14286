package io.barnabas.request;

import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * The resources of one request to alter configurations: some are settled by this broker, the others go to the controller, each gets one
 * error in the answer. A resource that is named twice is refused both times. For one thread.
 *
 * @param <R> the message class of a resource
 */
final class AlteredResources<R> {
    private final Collection<R> resources;
    private final Function<R, ConfigResource> key;
    private final IdentityHashMap<R, ApiError> settled = new IdentityHashMap<>();

    AlteredResources(Collection<R> resources, Function<R, ConfigResource> key) {
        this.resources = resources;
        this.key = key;
        Map<ConfigResource, R> seen = new LinkedHashMap<>();
        for (R resource : resources) {
            @Nullable R other = seen.put(key.apply(resource), resource);
            if (other != null) {
                ApiError error = new ApiError(Errors.INVALID_REQUEST, "Each resource must appear at most once.");
                settled.put(other, error);
                settled.put(resource, error);
            }
        }
    }

    /**
     * The changes of each resource that is left to the controller.
     *
     * @param check tells a resource's changes, or null if all is done here; what it throws settles the resource
     */
    <C> Map<ConfigResource, C> forController(Function<R, @Nullable C> check) {
        Map<ConfigResource, C> changes = new LinkedHashMap<>();
        for (R resource : resources) {
            if (settled.containsKey(resource)) {
                continue;
            }
            try {
                @Nullable C change = check.apply(resource);
                if (change == null) {
                    settled.put(resource, ApiError.NONE);
                } else {
                    changes.put(key.apply(resource), change);
                }
            } catch (RuntimeException e) {
                settled.put(resource, ApiError.fromThrowable(e));
            }
        }
        return changes;
    }

    /** The error of a resource: this broker's, else what the controller decided. */
    ApiError errorOf(R resource, Map<ConfigResource, ApiError> decided) {
        @Nullable ApiError early = settled.get(resource);
        return early != null
                ? early
                : decided.getOrDefault(key.apply(resource), new ApiError(Errors.UNKNOWN_SERVER_ERROR));
    }
}
