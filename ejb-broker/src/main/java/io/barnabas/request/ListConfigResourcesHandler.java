package io.barnabas.request;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.port.Responder;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Lists what has a configuration (KIP-714, KIP-1142). Answered from the image. */
public final class ListConfigResourcesHandler implements ApiHandler<ListConfigResourcesRequestData> {
    private static final Set<Byte> SUPPORTED = Set.of(
            ConfigResource.Type.TOPIC.id(),
            ConfigResource.Type.BROKER.id(),
            ConfigResource.Type.BROKER_LOGGER.id(),
            ConfigResource.Type.CLIENT_METRICS.id(),
            ConfigResource.Type.GROUP.id());

    private final ControlPlane plane;

    public ListConfigResourcesHandler(ControlPlane plane) {
        this.plane = plane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_CONFIG_RESOURCES;
    }

    @Override
    public void handle(ListConfigResourcesRequestData request, RequestContext context, Responder responder) {
        Set<Byte> supported = context.version() == 0 ? Set.of(ConfigResource.Type.CLIENT_METRICS.id()) : SUPPORTED;
        ListConfigResourcesResponseData response = new ListConfigResourcesResponseData();
        List<Byte> types = request.resourceTypes().isEmpty() ? List.copyOf(supported) : request.resourceTypes();
        if (!supported.containsAll(types)) {
            responder.respond(response.setErrorCode(Errors.UNSUPPORTED_VERSION.code()));
            return;
        }
        MetadataImage image = plane.metadata().image();
        for (byte id : Set.copyOf(types)) {
            ConfigResource.Type type = ConfigResource.Type.forId(id);
            switch (type) {
                case TOPIC -> image.topics().forEach(t -> add(response, t.name(), id));
                case BROKER, BROKER_LOGGER ->
                    new ClusterView(plane, image, context.listenerName())
                            .nodes()
                            .forEach(n -> add(response, n.idString(), id));
                default ->
                    image.configResources().stream()
                            .filter(r -> r.type() == type)
                            .forEach(r -> add(response, r.name(), id));
            }
        }
        responder.respond(response);
    }

    private static void add(ListConfigResourcesResponseData response, String name, byte type) {
        response.configResources()
                .add(new ListConfigResourcesResponseData.ConfigResource()
                        .setResourceName(name)
                        .setResourceType(type));
    }
}
