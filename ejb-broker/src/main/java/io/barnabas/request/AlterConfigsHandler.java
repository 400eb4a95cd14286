package io.barnabas.request;

import io.barnabas.port.Responder;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * Replaces configurations as a whole: keys that are not named are deleted. Old clients' way; {@link IncrementalAlterConfigsHandler} is
 * the better one.
 */
public final class AlterConfigsHandler implements ApiHandler<AlterConfigsRequestData> {
    private final ControlPlane plane;

    AlterConfigsHandler(ControlPlane plane) {
        this.plane = plane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_CONFIGS;
    }

    @Override
    public void handle(AlterConfigsRequestData request, RequestContext context, Responder responder) {
        IdentityHashMap<AlterConfigsResource, ApiError> settled = new IdentityHashMap<>();
        Map<ConfigResource, Map<String, String>> wanted = new LinkedHashMap<>();
        refuseDuplicates(request, settled);
        for (AlterConfigsResource resource : request.resources()) {
            if (!settled.containsKey(resource)) {
                try {
                    wanted.put(key(resource), checked(resource));
                } catch (RuntimeException e) {
                    settled.put(resource, ApiError.fromThrowable(e));
                }
            }
        }
        if (wanted.isEmpty()) {
            responder.respond(answer(request, settled, Map.of()));
            return;
        }
        plane.submit(
                image -> plane.rules().configs().legacy(image, wanted, request.validateOnly()),
                context,
                responder,
                results -> answer(request, settled, results));
    }

    private static void refuseDuplicates(
            AlterConfigsRequestData request, IdentityHashMap<AlterConfigsResource, ApiError> settled) {
        Map<ConfigResource, AlterConfigsResource> seen = new LinkedHashMap<>();
        for (AlterConfigsResource resource : request.resources()) {
            @Nullable AlterConfigsResource other = seen.put(key(resource), resource);
            if (other != null) {
                ApiError error = new ApiError(Errors.INVALID_REQUEST, "Each resource must appear at most once.");
                settled.put(other, error);
                settled.put(resource, error);
            }
        }
    }

    private Map<String, String> checked(AlterConfigsResource resource) {
        List<AlterableConfig> configs = List.copyOf(resource.configs());
        ConfigChanges.checkForm(
                configs.stream().map(AlterableConfig::name).toList(),
                configs.stream()
                        .filter(c -> c.value() == null)
                        .map(AlterableConfig::name)
                        .toList());
        ConfigResource key = key(resource);
        ConfigChanges.checkType(key.type(), resource.resourceType());
        Map<String, String> wanted = new LinkedHashMap<>();
        configs.forEach(c -> wanted.put(c.name(), c.value()));
        if (key.type() == ConfigResource.Type.BROKER) {
            ConfigChanges.checkBroker(plane, key.name(), wanted);
        }
        return wanted;
    }

    private static AlterConfigsResponseData answer(
            AlterConfigsRequestData request,
            IdentityHashMap<AlterConfigsResource, ApiError> settled,
            Map<ConfigResource, ApiError> decided) {
        AlterConfigsResponseData response = new AlterConfigsResponseData();
        for (AlterConfigsResource resource : request.resources()) {
            @Nullable ApiError early = settled.get(resource);
            ApiError error = early != null
                    ? early
                    : decided.getOrDefault(key(resource), new ApiError(Errors.UNKNOWN_SERVER_ERROR));
            response.responses()
                    .add(new AlterConfigsResourceResponse()
                            .setResourceType(resource.resourceType())
                            .setResourceName(resource.resourceName())
                            .setErrorCode(error.error().code())
                            .setErrorMessage(error.message()));
        }
        return response;
    }

    private static ConfigResource key(AlterConfigsResource resource) {
        return new ConfigResource(ConfigResource.Type.forId(resource.resourceType()), resource.resourceName());
    }
}
