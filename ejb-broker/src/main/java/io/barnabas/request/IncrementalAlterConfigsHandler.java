package io.barnabas.request;

import io.barnabas.metadata.ConfigControl.Alteration;
import io.barnabas.port.Responder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    /** What concerns this broker is checked, or done, here; the rest goes to the controller. */
    @Override
    public boolean isForwarded() {
        return false;
    }

    @Override
    public void handle(IncrementalAlterConfigsRequestData request, RequestContext context, Responder responder) {
        AlteredResources<AlterConfigsResource> resources =
                new AlteredResources<>(request.resources(), IncrementalAlterConfigsHandler::key);
        Map<ConfigResource, Map<String, Alteration>> changes =
                resources.forController(resource -> checked(resource, request.validateOnly(), context.forwarded()));
        if (changes.isEmpty()) {
            responder.respond(answer(request, resources, Map.of()));
            return;
        }
        if (plane.forwarder().isNeeded()) {
            forward(request, changes.keySet(), resources, context, responder);
            return;
        }
        plane.submit(
                image -> plane.rules().configs().incremental(image, changes, request.validateOnly()),
                context,
                responder,
                decided -> answer(request, resources, decided));
    }

    /** The changes of a resource for the controller, or null if all is done here. */
    private @Nullable Map<String, Alteration> checked(
            AlterConfigsResource resource, boolean validateOnly, boolean forwarded) {
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
        if (key.type() == ConfigResource.Type.BROKER && !forwarded) {
            Map<String, String> present = plane.metadata().image().config(key);
            ConfigChanges.checkBroker(
                    plane,
                    key.name(),
                    ConfigChanges.applied(present, changes, !key.name().isEmpty()));
        }
        return changes;
    }

    private void forward(
            IncrementalAlterConfigsRequestData request,
            Set<ConfigResource> rest,
            AlteredResources<AlterConfigsResource> resources,
            RequestContext context,
            Responder responder) {
        IncrementalAlterConfigsRequestData toController =
                new IncrementalAlterConfigsRequestData().setValidateOnly(request.validateOnly());
        request.resources().stream()
                .filter(resource -> rest.contains(key(resource)))
                .forEach(resource -> toController.resources().add(resource.duplicate()));
        ControlPlane.answer(plane.forwarder().forward(context, toController), context, responder, told -> {
            Map<ConfigResource, ApiError> decided = new HashMap<>();
            ((IncrementalAlterConfigsResponseData) told)
                    .responses()
                    .forEach(each -> decided.put(
                            new ConfigResource(ConfigResource.Type.forId(each.resourceType()), each.resourceName()),
                            new ApiError(Errors.forCode(each.errorCode()), each.errorMessage())));
            return answer(request, resources, decided);
        });
    }

    private static IncrementalAlterConfigsResponseData answer(
            IncrementalAlterConfigsRequestData request,
            AlteredResources<AlterConfigsResource> resources,
            Map<ConfigResource, ApiError> decided) {
        IncrementalAlterConfigsResponseData response = new IncrementalAlterConfigsResponseData();
        for (AlterConfigsResource resource : request.resources()) {
            ApiError error = resources.errorOf(resource, decided);
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
