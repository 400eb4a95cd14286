package io.barnabas.request;

import io.barnabas.metadata.ConfigControl.Alteration;
import io.barnabas.port.Responder;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * Changes single keys of configurations (KIP-339), and levels of loggers at once. What this broker finds wrong is answered so; the rest
 * is one command to the controller.
 */
public final class IncrementalAlterConfigsHandler implements ApiHandler<IncrementalAlterConfigsRequestData> {
    private final ControlPlane plane;
    private final BrokerLoggers loggers;

    IncrementalAlterConfigsHandler(ControlPlane plane, BrokerLoggers loggers) {
        this.plane = plane;
        this.loggers = loggers;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.INCREMENTAL_ALTER_CONFIGS;
    }

    @Override
    public void handle(IncrementalAlterConfigsRequestData request, RequestContext context, Responder responder) {
        IdentityHashMap<AlterConfigsResource, ApiError> settled = new IdentityHashMap<>();
        Map<ConfigResource, Map<String, Alteration>> changes = new LinkedHashMap<>();
        refuseDuplicates(request, settled);
        for (AlterConfigsResource resource : request.resources()) {
            if (settled.containsKey(resource)) {
                continue;
            }
            try {
                @Nullable Map<String, Alteration> keys = checked(resource, request.validateOnly());
                if (keys == null) {
                    settled.put(resource, ApiError.NONE);
                } else {
                    changes.put(key(resource), keys);
                }
            } catch (RuntimeException e) {
                settled.put(resource, ApiError.fromThrowable(e));
            }
        }
        if (changes.isEmpty()) {
            responder.respond(answer(request, settled, Map.of()));
            return;
        }
        plane.submit(
                image -> plane.rules().configs().incremental(image, changes, request.validateOnly()),
                context,
                responder,
                results -> answer(request, settled, results));
    }

    private static void refuseDuplicates(
            IncrementalAlterConfigsRequestData request, IdentityHashMap<AlterConfigsResource, ApiError> settled) {
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

    /** The changes of a resource for the controller, or null if all is done here. */
    private @Nullable Map<String, Alteration> checked(AlterConfigsResource resource, boolean validateOnly) {
        List<AlterableConfig> configs = List.copyOf(resource.configs());
        ConfigChanges.checkForm(
                configs.stream().map(AlterableConfig::name).toList(),
                configs.stream()
                        .filter(c -> c.configOperation() != OpType.DELETE.id() && c.value() == null)
                        .map(AlterableConfig::name)
                        .toList());
        ConfigResource key = key(resource);
        if (key.type() == ConfigResource.Type.BROKER_LOGGER) {
            ConfigChanges.checkNodeId(plane.brokerId(), resource.resourceName());
            loggers.alter(resource, validateOnly);
            return null;
        }
        ConfigChanges.checkType(key.type(), resource.resourceType());
        Map<String, Alteration> changes = new LinkedHashMap<>();
        for (AlterableConfig config : configs) {
            @Nullable OpType operation = OpType.forId(config.configOperation());
            if (operation == null) {
                throw new InvalidRequestException("Unknown operations type " + config.configOperation());
            }
            changes.put(config.name(), new Alteration(operation, config.value()));
        }
        if (key.type() == ConfigResource.Type.BROKER) {
            Map<String, String> present = plane.metadata().image().config(key);
            ConfigChanges.checkBroker(
                    plane,
                    key.name(),
                    ConfigChanges.applied(present, changes, !key.name().isEmpty()));
        }
        return changes;
    }

    private static IncrementalAlterConfigsResponseData answer(
            IncrementalAlterConfigsRequestData request,
            IdentityHashMap<AlterConfigsResource, ApiError> settled,
            Map<ConfigResource, ApiError> decided) {
        IncrementalAlterConfigsResponseData response = new IncrementalAlterConfigsResponseData();
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
