package io.barnabas.request;

import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.port.Responder;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FindCoordinatorRequest.CoordinatorType;
import org.jspecify.annotations.Nullable;

/**
 * FindCoordinator 0–6: the broker that leads a group's partition of the offsets topic, or a transactional id's of the topic of
 * transactions; each is made when it is first asked for. Share groups have no coordinator here: keys of theirs are answered
 * INVALID_REQUEST, so that a client fails at once and does not search until its time is up.
 */
public final class FindCoordinatorHandler implements ApiHandler<FindCoordinatorRequestData> {
    private static final int SEVERAL_KEYS_VERSION = 4;

    private final ToIntFunction<String> groups;
    private final ToIntFunction<String> transactions;
    private final Metadata metadata;
    private final AutoTopicCreation creation;
    private final Supplier<Set<Integer>> silent;

    /**
     * @param groups the partition that a group lives in
     * @param transactions the partition that a transactional id lives in
     * @param creation makes the coordinators' topics
     * @param silent brokers of which nothing is heard here: a client that is sent there would hang, and not ask again
     */
    public FindCoordinatorHandler(
            ToIntFunction<String> groups,
            ToIntFunction<String> transactions,
            Metadata metadata,
            AutoTopicCreation creation,
            Supplier<Set<Integer>> silent) {
        this.groups = groups;
        this.transactions = transactions;
        this.metadata = metadata;
        this.creation = creation;
        this.silent = silent;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.FIND_COORDINATOR;
    }

    @Override
    public void handle(FindCoordinatorRequestData request, RequestContext context, Responder responder) {
        List<String> keys =
                context.version() >= SEVERAL_KEYS_VERSION ? request.coordinatorKeys() : List.of(request.key());
        List<Coordinator> found = keys.stream()
                .map(key -> find(request.keyType(), key, context.listenerName()))
                .toList();
        if (context.version() >= SEVERAL_KEYS_VERSION) {
            responder.respond(new FindCoordinatorResponseData().setCoordinators(found));
            return;
        }
        Coordinator one = found.get(0);
        responder.respond(new FindCoordinatorResponseData()
                .setErrorCode(one.errorCode())
                .setErrorMessage(Errors.forCode(one.errorCode()).message())
                .setNodeId(one.nodeId())
                .setHost(one.host())
                .setPort(one.port()));
    }

    private Coordinator find(byte keyType, String key, String listener) {
        if (keyType == CoordinatorType.GROUP.id()) {
            return find(Topic.GROUP_METADATA_TOPIC_NAME, groups, key, listener);
        }
        return keyType == CoordinatorType.TRANSACTION.id()
                ? find(Topic.TRANSACTION_STATE_TOPIC_NAME, transactions, key, listener)
                : none(key, Errors.INVALID_REQUEST);
    }

    private Coordinator find(String topic, ToIntFunction<String> partitionFor, String key, String listener) {
        MetadataImage image = metadata.image();
        if (image.topic(topic) == null) {
            creation.create(Set.of(topic));
            return none(key, Errors.COORDINATOR_NOT_AVAILABLE);
        }
        @Nullable PartitionImage partition = image.partition(topic, partitionFor.applyAsInt(key));
        @Nullable Endpoint endpoint = partition == null ? null : endpoint(image, partition.leader(), listener);
        if (partition == null || endpoint == null || silent.get().contains(partition.leader())) {
            return none(key, Errors.COORDINATOR_NOT_AVAILABLE);
        }
        return new Coordinator()
                .setKey(key)
                .setNodeId(partition.leader())
                .setHost(endpoint.host())
                .setPort(endpoint.port());
    }

    private static Coordinator none(String key, Errors error) {
        return new Coordinator()
                .setKey(key)
                .setNodeId(-1)
                .setHost("")
                .setPort(-1)
                .setErrorCode(error.code());
    }

    private static @Nullable Endpoint endpoint(MetadataImage image, int brokerId, String listener) {
        return image.broker(brokerId)
                .filter(broker -> !broker.fenced())
                .flatMap(broker -> broker.endpoints().stream()
                        .filter(endpoint -> endpoint.listener().equals(listener))
                        .findFirst())
                .orElse(null);
    }
}
