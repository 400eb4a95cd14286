package io.barnabas.request;

import io.barnabas.metadata.BrokerImage.FeatureRange;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.port.Responder;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKeyCollection;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKeyCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Says what is served on the listener that is asked: the registry's handlers and the cluster's features. An unknown version never comes here (the dispatcher answers it). */
public final class ApiVersionsHandler implements ApiHandler<ApiVersionsRequestData> {
    /** KIP-511: letters and digits, with dashes and dots inside. No nested repetition, so no input makes it slow. */
    private static final Pattern SOFTWARE = Pattern.compile("[a-zA-Z0-9](?:[a-zA-Z0-9\\-.]*[a-zA-Z0-9])?");

    private final HandlerRegistry handlers;
    private final Metadata metadata;
    private final int brokerId;
    private final Map<String, FeatureRange> supportedFeatures;

    /**
     * Makes the handler.
     *
     * @param supportedFeatures by name, what this program can run with
     */
    public ApiVersionsHandler(
            HandlerRegistry handlers, Metadata metadata, int brokerId, Map<String, FeatureRange> supportedFeatures) {
        this.handlers = handlers;
        this.metadata = metadata;
        this.brokerId = brokerId;
        this.supportedFeatures = Map.copyOf(supportedFeatures);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.API_VERSIONS;
    }

    @Override
    public void handle(ApiVersionsRequestData request, RequestContext context, Responder responder) {
        short version = context.version();
        MetadataImage image = metadata.image();
        if (!valid(request, version)) {
            responder.respond(new ApiVersionsResponseData().setErrorCode(Errors.INVALID_REQUEST.code()));
            return;
        }
        if (misrouted(request, version, image)) {
            responder.respond(new ApiVersionsResponseData().setErrorCode(Errors.REBOOTSTRAP_REQUIRED.code()));
            return;
        }
        responder.respond(answer(version, image, context.listenerName()));
    }

    private static boolean valid(ApiVersionsRequestData request, short version) {
        if (version >= 5 && (request.clusterId() == null) != (request.nodeId() == -1)) {
            return false; // KIP-1242: both or none
        }
        return version < 3
                || (SOFTWARE.matcher(request.clientSoftwareName()).matches()
                        && SOFTWARE.matcher(request.clientSoftwareVersion()).matches());
    }

    /** KIP-1242: the client meant another broker or cluster than the one it reached. */
    private boolean misrouted(ApiVersionsRequestData request, short version, MetadataImage image) {
        return version >= 5
                && request.clusterId() != null
                && (!request.clusterId().equals(image.clusterId()) || request.nodeId() != brokerId);
    }

    private ApiVersionsResponseData answer(short version, MetadataImage image, String listener) {
        ApiVersionCollection apis = new ApiVersionCollection();
        for (ApiVersion served : handlers.served(listener)) {
            apis.mustAdd(served);
        }
        SupportedFeatureKeyCollection supported = new SupportedFeatureKeyCollection();
        supportedFeatures.forEach((name, range) -> {
            if (version >= 4 || range.min() > 0) { // KAFKA-17011: clients up to version 3 fail on a lowest level of 0
                supported.mustAdd(new SupportedFeatureKey()
                        .setName(name)
                        .setMinVersion(range.min())
                        .setMaxVersion(range.max()));
            }
        });
        FinalizedFeatureKeyCollection finalized = new FinalizedFeatureKeyCollection();
        image.features().forEach((name, level) -> {
            if (level > 0) {
                finalized.mustAdd(key(name, level));
            }
        });
        if (supportedFeatures.containsKey(FeatureControl.KRAFT_VERSION)) {
            finalized.mustAdd(key(FeatureControl.KRAFT_VERSION, FeatureControl.KRAFT_VERSION_LEVEL));
        }
        return new ApiVersionsResponseData()
                .setApiKeys(apis)
                .setSupportedFeatures(supported)
                .setFinalizedFeatures(finalized)
                .setFinalizedFeaturesEpoch(image.index());
    }

    private static FinalizedFeatureKey key(String name, short level) {
        return new FinalizedFeatureKey().setName(name).setMinVersionLevel(level).setMaxVersionLevel(level);
    }
}
