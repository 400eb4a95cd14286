package io.barnabas.request;

import io.barnabas.port.Responder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;

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

    /** What concerns this broker is checked, or done, here; the rest goes to the controller. */
    @Override
    public boolean isForwarded() {
        return false;
    }

    @Override
    public void handle(AlterConfigsRequestData request, RequestContext context, Responder responder) {
        AlteredResources<AlterConfigsResource> resources =
                new AlteredResources<>(request.resources(), AlterConfigsHandler::key);
        Map<ConfigResource, Map<String, String>> wanted =
                resources.forController(resource -> checked(resource, context.forwarded()));
        if (wanted.isEmpty()) {
            responder.respond(answer(request, resources, Map.of()));
            return;
        }
        if (plane.forwarder().isNeeded()) {
            forward(request, wanted.keySet(), resources, context, responder);
            return;
        }
        plane.submit(
                image -> plane.rules().configs().legacy(image, wanted, request.validateOnly()),
                context,
                responder,
                decided -> answer(request, resources, decided));
    }

    private Map<String, String> checked(AlterConfigsResource resource, boolean forwarded) {
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
        if (key.type() == ConfigResource.Type.BROKER && !forwarded) {
            ConfigChanges.checkBroker(plane, key.name(), wanted);
        }
        return wanted;
    }

    private void forward(
            AlterConfigsRequestData request,
            Set<ConfigResource> rest,
            AlteredResources<AlterConfigsResource> resources,
            RequestContext context,
            Responder responder) {
        AlterConfigsRequestData toController = new AlterConfigsRequestData().setValidateOnly(request.validateOnly());
        request.resources().stream()
                .filter(resource -> rest.contains(key(resource)))
                .forEach(resource -> toController.resources().add(resource.duplicate()));
        ControlPlane.answer(plane.forwarder().forward(context, toController), context, responder, told -> {
            Map<ConfigResource, ApiError> decided = new HashMap<>();
            ((AlterConfigsResponseData) told)
                    .responses()
                    .forEach(each -> decided.put(
                            new ConfigResource(ConfigResource.Type.forId(each.resourceType()), each.resourceName()),
                            new ApiError(Errors.forCode(each.errorCode()), each.errorMessage())));
            return answer(request, resources, decided);
        });
    }

    private static AlterConfigsResponseData answer(
            AlterConfigsRequestData request,
            AlteredResources<AlterConfigsResource> resources,
            Map<ConfigResource, ApiError> decided) {
        AlterConfigsResponseData response = new AlterConfigsResponseData();
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
