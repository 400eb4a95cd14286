package io.barnabas.request;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.Controller;
import io.barnabas.metadata.Controller.Decision;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.QuorumState;
import io.barnabas.port.Responder;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.Listener;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ListenerCollection;
import org.apache.kafka.common.message.DescribeQuorumResponseData.PartitionData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ReplicaState;
import org.apache.kafka.common.message.DescribeQuorumResponseData.TopicData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeQuorumRequest;

/**
 * The metadata's quorum in Kafka's terms: leader epoch and offsets are the journal's term and indexes, a voter is a node and its
 * directory (KIP-853). Answered by the controller, whose journal knows how far the others are.
 */
record DescribeQuorumHandler(ControlPlane plane) implements ApiHandler<DescribeQuorumRequestData> {
    private static final short FIRST_VERSION_WITH_TIMES = 1;
    private static final short FIRST_VERSION_WITH_DIRECTORIES = 2;

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_QUORUM;
    }

    @Override
    public void handle(DescribeQuorumRequestData request, RequestContext context, Responder responder) {
        if (!isMetadataPartition(request)) {
            responder.respond(
                    DescribeQuorumRequest.getPartitionLevelErrorResponse(request, Errors.UNKNOWN_TOPIC_OR_PARTITION));
            return;
        }
        Controller controller = plane.controller();
        var unused = controller
                .submit(api().name, image -> Decision.unchanged(answer(controller.quorum(), image, context)))
                .exceptionally(failure -> DescribeQuorumRequest.getPartitionLevelErrorResponse(request, error(failure)))
                .thenAccept(responder::respond);
    }

    /** Of the partition, whose leader the controller is. */
    private static Errors error(Throwable failure) {
        Errors error = ErrorResponses.errorOf(failure);
        return error == Errors.NOT_CONTROLLER ? Errors.NOT_LEADER_OR_FOLLOWER : error;
    }

    private static boolean isMetadataPartition(DescribeQuorumRequestData request) {
        return request.topics().size() == 1
                && request.topics().get(0).topicName().equals(Topic.CLUSTER_METADATA_TOPIC_NAME)
                && request.topics().get(0).partitions().size() == 1
                && request.topics().get(0).partitions().get(0).partitionIndex() == 0;
    }

    private DescribeQuorumResponseData answer(QuorumState quorum, MetadataImage image, RequestContext context) {
        short version = context.version();
        PartitionData partition = new PartitionData()
                .setPartitionIndex(0)
                .setLeaderId(plane.brokerId())
                .setLeaderEpoch((int) quorum.position().term())
                .setHighWatermark(quorum.position().committedIndex())
                .setCurrentVoters(states(quorum.voters(), quorum, image, version))
                .setObservers(states(quorum.observers(), quorum, image, version));
        DescribeQuorumResponseData response = new DescribeQuorumResponseData()
                .setTopics(List.of(new TopicData()
                        .setTopicName(Topic.CLUSTER_METADATA_TOPIC_NAME)
                        .setPartitions(List.of(partition))));
        if (version >= FIRST_VERSION_WITH_DIRECTORIES) {
            ClusterView view = new ClusterView(plane, image, context.listenerName());
            // A voter that lost its directory is there twice: as what it was, and as an observer.
            Stream.concat(quorum.voters().stream(), quorum.observers().stream())
                    .map(QuorumState.Member::nodeId)
                    .distinct()
                    .forEach(id -> response.nodes().add(node(id, view, context.listenerName())));
        }
        return response;
    }

    private List<ReplicaState> states(
            List<QuorumState.Member> members, QuorumState quorum, MetadataImage image, short version) {
        return members.stream()
                .sorted(Comparator.comparingInt(QuorumState.Member::nodeId))
                .map(member -> state(member, quorum, image, version))
                .toList();
    }

    private ReplicaState state(QuorumState.Member member, QuorumState quorum, MetadataImage image, short version) {
        ReplicaState state = new ReplicaState().setReplicaId(member.nodeId()).setLogEndOffset(member.endIndex());
        if (version >= FIRST_VERSION_WITH_TIMES && member.answeredMsAgo() != QuorumState.NEVER) {
            long answered = plane.time().clock().wallMillis() - member.answeredMsAgo();
            state.setLastFetchTimestamp(answered);
            if (member.endIndex() >= quorum.position().committedIndex()) {
                state.setLastCaughtUpTimestamp(answered);
            }
        }
        if (version >= FIRST_VERSION_WITH_DIRECTORIES) {
            state.setReplicaDirectoryId(directory(member, image));
        }
        return state;
    }

    /** A lone voter's is told as its broker's first directory, in which its metadata are. */
    private static Uuid directory(QuorumState.Member member, MetadataImage image) {
        if (!member.directoryId().equals(Uuid.ZERO_UUID)) {
            return member.directoryId();
        }
        return image.broker(member.nodeId())
                .map(BrokerImage::logDirs)
                .filter(dirs -> !dirs.isEmpty())
                .map(dirs -> dirs.get(0))
                .orElse(Uuid.ZERO_UUID);
    }

    private static DescribeQuorumResponseData.Node node(int id, ClusterView view, String listenerName) {
        ListenerCollection listeners = new ListenerCollection();
        view.node(id).ifPresent(node -> listeners.add(listener(node, listenerName)));
        return new DescribeQuorumResponseData.Node().setNodeId(id).setListeners(listeners);
    }

    private static Listener listener(Node node, String name) {
        return new Listener().setName(name).setHost(node.host()).setPort(node.port());
    }
}
