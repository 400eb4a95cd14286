package io.barnabas.request;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Tells clients of topics, their leaders and the brokers: the first thing every client asks for. Answered from the image at once; a
 * topic that is not there is begun to be made if the client and the broker allow it, and is unknown until it is there.
 */
public final class MetadataHandler implements ApiHandler<MetadataRequestData> {
    /** From here on topics can be asked for by id alone (KIP-516). */
    private static final short FIRST_VERSION_WITH_IDS = 12;
    /** From here on a leader without the client's listener has an error of its own. */
    private static final short FIRST_VERSION_WITH_LISTENER_NOT_FOUND = 6;
    /** From here on the client says whether topics may be made. */
    private static final short FIRST_VERSION_WITH_AUTO_CREATION = 4;

    private final ControlPlane plane;
    private final AutoTopicCreation creation;
    private final Supplier<Set<Integer>> silent;

    /**
     * A handler that makes missing topics through {@code creation}.
     *
     * @param silent brokers of which nothing is heard here. Whoever is sent there waits for a connection (10 s by default) and asks
     *     nobody meanwhile; without a leader it asks again at once, until another leads.
     */
    public MetadataHandler(ControlPlane plane, AutoTopicCreation creation, Supplier<Set<Integer>> silent) {
        this.plane = plane;
        this.creation = creation;
        this.silent = silent;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.METADATA;
    }

    @Override
    public void handle(MetadataRequestData request, RequestContext context, Responder responder) {
        short version = context.version();
        boolean all =
                request.topics() == null || (version == 0 && request.topics().isEmpty());
        if (!all) {
            checkNames(request, version);
        }
        ClusterView view = new ClusterView(plane, plane.metadata().image(), context.listenerName(), silent.get());
        MetadataResponseData response = new MetadataResponseData()
                .setClusterId(view.image().clusterId())
                .setControllerId(view.controllerId());
        for (Node node : view.aliveNodes()) {
            response.brokers()
                    .add(new MetadataResponseBroker()
                            .setNodeId(node.id())
                            .setHost(node.host())
                            .setPort(node.port())
                            .setRack(node.rack()));
        }
        if (all) {
            view.image().topics().forEach(t -> response.topics().add(topic(t, view, version)));
        } else {
            addNamed(request, view, version, response);
        }
        if (version >= 8 && version <= 10 && request.includeClusterAuthorizedOperations()) {
            response.setClusterAuthorizedOperations(AuthorizedOperations.CLUSTER);
        }
        if (version >= 8 && request.includeTopicAuthorizedOperations()) {
            response.topics().stream()
                    .filter(t -> t.errorCode() != Errors.UNKNOWN_TOPIC_ID.code())
                    .forEach(t -> t.setTopicAuthorizedOperations(AuthorizedOperations.TOPIC));
        }
        responder.respond(response);
    }

    private static void checkNames(MetadataRequestData request, short version) {
        for (MetadataRequestTopic topic : request.topics()) {
            if (version < FIRST_VERSION_WITH_IDS && topic.name() == null) {
                throw new InvalidRequestException("Topic name can not be null for version " + version);
            } else if (version < FIRST_VERSION_WITH_IDS && !topic.topicId().equals(Uuid.ZERO_UUID)) {
                throw new InvalidRequestException("Topic IDs are not supported in requests for version " + version);
            }
        }
    }

    private void addNamed(MetadataRequestData request, ClusterView view, short version, MetadataResponseData response) {
        MetadataImage image = view.image();
        Set<Uuid> ids = new LinkedHashSet<>();
        Set<String> names = new LinkedHashSet<>();
        request.topics().forEach(t -> {
            if (!t.topicId().equals(Uuid.ZERO_UUID)) {
                ids.add(t.topicId());
            } else if (t.name() != null) {
                names.add(t.name());
            }
        });
        for (Uuid id : ids) {
            @Nullable TopicImage topic = image.topic(id);
            response.topics()
                    .add(topic == null ? unknown(Errors.UNKNOWN_TOPIC_ID, null, id) : topic(topic, view, version));
        }
        if (!ids.isEmpty()) {
            return; // names beside ids are passed over
        }
        Set<String> missing = new LinkedHashSet<>();
        for (String name : names) {
            @Nullable TopicImage topic = image.topic(name);
            if (topic == null) {
                missing.add(name);
            } else {
                response.topics().add(topic(topic, view, version));
            }
        }
        addMissing(request, version, missing, response);
    }

    private void addMissing(
            MetadataRequestData request, short version, Set<String> missing, MetadataResponseData response) {
        boolean mayCreate = plane.config().current().getBoolean("auto.create.topics.enable")
                && (version < FIRST_VERSION_WITH_AUTO_CREATION || request.allowAutoTopicCreation());
        Map<String, Errors> told = mayCreate && !missing.isEmpty() ? creation.create(missing) : Map.of();
        for (String name : missing) {
            Errors error = told.getOrDefault(name, AutoTopicCreation.error(name));
            response.topics().add(unknown(error, name, Uuid.ZERO_UUID));
        }
    }

    private static MetadataResponseTopic unknown(Errors error, @Nullable String name, Uuid id) {
        return new MetadataResponseTopic()
                .setErrorCode(error.code())
                .setName(name)
                .setTopicId(id)
                .setIsInternal(name != null && Topic.isInternal(name));
    }

    private static MetadataResponseTopic topic(TopicImage topic, ClusterView view, short version) {
        List<MetadataResponsePartition> partitions =
                new ArrayList<>(topic.partitions().size());
        topic.partitions().forEach(p -> partitions.add(partition(p, view, version)));
        return new MetadataResponseTopic()
                .setName(topic.name())
                .setTopicId(topic.id())
                .setIsInternal(Topic.isInternal(topic.name()))
                .setPartitions(partitions);
    }

    private static MetadataResponsePartition partition(PartitionImage partition, ClusterView view, short version) {
        boolean unfiltered =
                version != 0; // version 0 leaves out replicas that are not in service and says so by an error
        List<Integer> replicas = view.alive(partition.replicas(), unfiltered);
        List<Integer> isr = view.alive(partition.isr(), unfiltered);
        int leader = view.leader(partition);
        Errors error = Errors.NONE;
        if (view.isSilent(partition.leader())) {
            error = Errors.LEADER_NOT_AVAILABLE;
        } else if (leader < 0) {
            boolean known = view.image().broker(partition.leader()).isPresent();
            error = known && version >= FIRST_VERSION_WITH_LISTENER_NOT_FOUND
                    ? Errors.LISTENER_NOT_FOUND
                    : Errors.LEADER_NOT_AVAILABLE;
        } else if (replicas.size() < partition.replicas().size()
                || isr.size() < partition.isr().size()) {
            error = Errors.REPLICA_NOT_AVAILABLE;
        }
        return new MetadataResponsePartition()
                .setErrorCode(error.code())
                .setPartitionIndex(partition.partition())
                .setLeaderId(leader)
                .setLeaderEpoch(partition.leaderEpoch())
                .setReplicaNodes(replicas)
                .setIsrNodes(isr)
                .setOfflineReplicas(view.offline(partition));
    }
}
