package io.barnabas.request;

import io.barnabas.metadata.BrokerRemoval;
import io.barnabas.metadata.LogPosition;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.Listener;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ListenerCollection;
import org.apache.kafka.common.message.DescribeQuorumResponseData.PartitionData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ReplicaState;
import org.apache.kafka.common.message.DescribeQuorumResponseData.TopicData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData.UpdatableFeatureResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.DescribeQuorumRequest;

/** The handlers of what concerns the cluster as a whole: its features, its quorum, its brokers. */
final class ClusterHandlers {
    private ClusterHandlers() {}

    static List<ApiHandler<?>> of(ControlPlane plane) {
        return List.of(new UpdateFeatures(plane), new DescribeQuorum(plane), new UnregisterBroker(plane));
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

    /**
     * The quorum in Kafka's terms: one voter so far, this node; leader epoch and offsets are the journal's term and indexes.
     */
    private record DescribeQuorum(ControlPlane plane) implements ApiHandler<DescribeQuorumRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.DESCRIBE_QUORUM;
        }

        @Override
        public void handle(DescribeQuorumRequestData request, RequestContext context, Responder responder) {
            MetadataImage image = plane.metadata().image();
            if (!isMetadataPartition(request)) {
                responder.respond(DescribeQuorumRequest.getPartitionLevelErrorResponse(
                        request, Errors.UNKNOWN_TOPIC_OR_PARTITION));
            } else if (image.controllerId() != plane.brokerId()) {
                responder.respond(
                        DescribeQuorumRequest.getPartitionLevelErrorResponse(request, Errors.NOT_LEADER_OR_FOLLOWER));
            } else {
                responder.respond(answer(image, context));
            }
        }

        private static boolean isMetadataPartition(DescribeQuorumRequestData request) {
            return request.topics().size() == 1
                    && request.topics().get(0).topicName().equals(Topic.CLUSTER_METADATA_TOPIC_NAME)
                    && request.topics().get(0).partitions().size() == 1
                    && request.topics().get(0).partitions().get(0).partitionIndex() == 0;
        }

        private DescribeQuorumResponseData answer(MetadataImage image, RequestContext context) {
            short version = context.version();
            Uuid directory = image.broker(plane.brokerId())
                    .filter(b -> !b.logDirs().isEmpty())
                    .map(b -> b.logDirs().get(0))
                    .orElse(Uuid.ZERO_UUID);
            LogPosition position = plane.controller().position();
            ReplicaState voter = new ReplicaState()
                    .setReplicaId(plane.brokerId())
                    .setReplicaDirectoryId(version >= 2 ? directory : Uuid.ZERO_UUID)
                    .setLogEndOffset(position.endIndex());
            if (version >= 1) { // a leader has always just seen itself
                long now = plane.time().clock().wallMillis();
                voter.setLastFetchTimestamp(now).setLastCaughtUpTimestamp(now);
            }
            DescribeQuorumResponseData response = new DescribeQuorumResponseData()
                    .setTopics(List.of(new TopicData()
                            .setTopicName(Topic.CLUSTER_METADATA_TOPIC_NAME)
                            .setPartitions(List.of(new PartitionData()
                                    .setPartitionIndex(0)
                                    .setLeaderId(plane.brokerId())
                                    .setLeaderEpoch((int) position.term())
                                    .setHighWatermark(position.committedIndex())
                                    .setCurrentVoters(List.of(voter))))));
            if (version >= 2) {
                ListenerCollection listeners = new ListenerCollection();
                new ClusterView(plane, image, context.listenerName())
                        .node(plane.brokerId())
                        .ifPresent(node -> listeners.add(listener(node, context.listenerName())));
                response.nodes()
                        .add(new DescribeQuorumResponseData.Node()
                                .setNodeId(plane.brokerId())
                                .setListeners(listeners));
            }
            return response;
        }

        private static Listener listener(Node node, String name) {
            return new Listener().setName(name).setHost(node.host()).setPort(node.port());
        }
    }

    /** Refused for this broker itself: nobody else serves its partitions, and its removal would stand until its next start. */
    private record UnregisterBroker(ControlPlane plane) implements ApiHandler<UnregisterBrokerRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.UNREGISTER_BROKER;
        }

        @Override
        public void handle(UnregisterBrokerRequestData request, RequestContext context, Responder responder) {
            if (request.brokerId() == plane.brokerId()) {
                ErrorResponses.answer(
                        context,
                        new InvalidRequestException("Broker " + request.brokerId() + " is running; stop it first"),
                        responder);
                return;
            }
            plane.submit(
                    image -> BrokerRemoval.decide(plane.rules().partitions(), image, request.brokerId()),
                    context,
                    responder,
                    id -> new UnregisterBrokerResponseData());
        }
    }
}
