package io.barnabas.request;

import io.barnabas.metadata.BrokerRemoval;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData.UpdatableFeatureResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ApiError;

/** The handlers of what concerns the cluster as a whole: its features, its quorum, its brokers. */
final class ClusterHandlers {
    private ClusterHandlers() {}

    static List<ApiHandler<?>> of(ControlPlane plane) {
        return List.of(new UpdateFeatures(plane), new DescribeQuorumHandler(plane), new UnregisterBroker(plane));
    }

    private record UpdateFeatures(ControlPlane plane) implements ApiHandler<UpdateFeaturesRequestData> {
        /** Up to here each feature has a result of its own. */
        private static final short LAST_VERSION_WITH_RESULTS = 1;

        @Override
        public ApiKeys api() {
            return ApiKeys.UPDATE_FEATURES;
        }

        @Override
        public void handle(UpdateFeaturesRequestData request, RequestContext context, Responder responder) {
            UpdateFeaturesRequestData update = context.version() == 0 ? withTypes(request) : request;
            plane.submit(
                    image -> plane.rules().features().update(image, update),
                    context,
                    responder,
                    error -> answer(error, request, context.version()),
                    request.timeoutMs());
        }

        /** Before upgrade types, a downgrade was allowed by a flag. A copy: the request's version cannot bear types. */
        private static UpdateFeaturesRequestData withTypes(UpdateFeaturesRequestData request) {
            UpdateFeaturesRequestData update = request.duplicate();
            update.featureUpdates().forEach(u -> u.setUpgradeType((byte) (u.allowDowngrade() ? 2 : 1)));
            return update;
        }

        private static UpdateFeaturesResponseData answer(
                ApiError error, UpdateFeaturesRequestData request, short version) {
            UpdateFeaturesResponseData response =
                    new UpdateFeaturesResponseData().setErrorCode(error.error().code());
            if (error.isFailure()) {
                return response.setErrorMessage(
                        "The update failed for all features since the following feature had an error: "
                                + error.message());
            }
            if (version <= LAST_VERSION_WITH_RESULTS) {
                request.featureUpdates()
                        .forEach(u -> response.results().add(new UpdatableFeatureResult().setFeature(u.feature())));
            }
            return response;
        }
    }

    /** Takes a broker out that will not come back. */
    private record UnregisterBroker(ControlPlane plane) implements ApiHandler<UnregisterBrokerRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.UNREGISTER_BROKER;
        }

        @Override
        public void handle(UnregisterBrokerRequestData request, RequestContext context, Responder responder) {
            plane.submit(
                    image -> BrokerRemoval.decide(plane.rules().partitions(), image, request.brokerId()),
                    context,
                    responder,
                    id -> new UnregisterBrokerResponseData());
        }
    }
}
