package io.barnabas.request;

import io.barnabas.config.BrokerConfig;
import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.partition.Followers.ReadableReplica;
import io.barnabas.partition.LocalPartition;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.replica.ClientMetadata;
import org.apache.kafka.common.replica.ClientMetadata.DefaultClientMetadata;
import org.apache.kafka.common.replica.PartitionView;
import org.apache.kafka.common.replica.PartitionView.DefaultPartitionView;
import org.apache.kafka.common.replica.ReplicaSelector;
import org.apache.kafka.common.replica.ReplicaView;
import org.apache.kafka.common.replica.ReplicaView.DefaultReplicaView;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replica that a consumer should rather read from (KIP-392): the operator's {@code replica.selector.class} chooses among the leader and
 * the followers that are in sync and have the offset. Asked by {@link FetchRead} of partitions that are led here; the consumer then asks
 * that replica, until it has not what is wanted or the consumer's metadata are old.
 *
 * <p>Safe from any thread, as a selector must be.
 */
public final class PreferredReplicas {
    /** Nobody is sent elsewhere. */
    public static final PreferredReplicas NONE = new PreferredReplicas(null, null);

    static final int NO_REPLICA = -1;
    private static final Logger LOG = LoggerFactory.getLogger(PreferredReplicas.class);
    private static final String KEY = "replica.selector.class";
    /** The name that KIP-392 gives to what is done without a selector. */
    private static final String LEADER_SELECTOR = "org.apache.kafka.common.replica.LeaderSelector";

    private final @Nullable ReplicaSelector selector;
    private final @Nullable Metadata metadata;
    private final AtomicBoolean complained = new AtomicBoolean();

    private PreferredReplicas(@Nullable ReplicaSelector selector, @Nullable Metadata metadata) {
        this.selector = selector;
        this.metadata = metadata;
    }

    /** Chooses by this selector. */
    static PreferredReplicas by(ReplicaSelector selector, Metadata metadata) {
        return new PreferredReplicas(selector, metadata);
    }

    /**
     * As the configuration has it.
     *
     * @throws ConfigException if the class cannot be made or is no {@link ReplicaSelector}
     */
    public static PreferredReplicas load(BrokerConfig config, Metadata metadata) {
        @Nullable String name = config.getStringOrNull(KEY);
        if (name == null || name.isBlank() || name.equals(LEADER_SELECTOR)) {
            return NONE;
        }
        try {
            ReplicaSelector selector = Utils.newInstance(name, ReplicaSelector.class);
            selector.configure(config.given());
            return by(selector, metadata);
        } catch (ClassNotFoundException | RuntimeException e) {
            throw new ConfigException(
                    KEY,
                    name,
                    "Must be a class with the interface " + ReplicaSelector.class.getName() + ": " + e.getMessage());
        }
    }

    /**
     * The broker of the replica that is preferred to the leader, or {@link #NO_REPLICA}. The partition is led here.
     *
     * @param rack of the consumer; empty if it does not tell
     */
    int choose(LocalPartition partition, long offset, String rack, RequestContext context) {
        if (selector == null || metadata == null || !partition.leads()) {
            return NO_REPLICA;
        }
        try {
            return choose(selector, metadata.image(), new Question(partition, offset, rack, context));
        } catch (RuntimeException e) { // somebody else's class: consumers can still be served here
            if (!complained.getAndSet(true)) {
                LOG.warn("the selector of replicas fails, leaders serve; partition={}", partition.topicPartition(), e);
            }
            return NO_REPLICA;
        }
    }

    private record Question(LocalPartition partition, long offset, String rack, RequestContext context) {
        ClientMetadata client() {
            return new DefaultClientMetadata(
                    rack,
                    context.clientId(),
                    context.connection().remoteAddress().getAddress(),
                    context.principal(),
                    context.listenerName());
        }
    }

    private static int choose(ReplicaSelector selector, MetadataImage image, Question question) {
        LocalPartition partition = question.partition();
        String listener = question.context().listenerName();
        Set<ReplicaView> replicas = new HashSet<>();
        for (ReadableReplica each : partition.followers().readableAt(question.offset())) {
            replicas.add(new DefaultReplicaView(
                    node(image, each.brokerId(), listener), each.logEndOffset(), each.behindMs()));
        }
        if (replicas.isEmpty()) {
            return NO_REPLICA;
        }
        ReplicaView leader = new DefaultReplicaView(
                node(image, partition.image().leader(), listener),
                partition.log().logEndOffset(),
                0);
        replicas.add(leader);
        PartitionView all = new DefaultPartitionView(replicas, leader);
        return selector.select(partition.topicPartition(), question.client(), all)
                .filter(chosen -> !chosen.equals(leader) && !chosen.endpoint().isEmpty())
                .map(chosen -> chosen.endpoint().id())
                .orElse(NO_REPLICA);
    }

    /** Where the consumer would reach the broker; an empty node if it cannot. */
    private static Node node(MetadataImage image, int broker, String listener) {
        Optional<BrokerImage> known = image.broker(broker).filter(each -> !each.fenced());
        if (known.isPresent()) {
            for (Endpoint endpoint : known.get().endpoints()) {
                if (endpoint.listener().equals(listener)) {
                    return new Node(
                            broker,
                            endpoint.host(),
                            endpoint.port(),
                            known.get().rack());
                }
            }
        }
        return Node.noNode();
    }
}
