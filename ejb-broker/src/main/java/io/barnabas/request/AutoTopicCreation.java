package io.barnabas.request;

import io.barnabas.config.BrokerConfig;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes topics that somebody asked about and that are not there: ordinary ones when a client allows it, internal ones when a
 * coordinator needs them. Who asked is told "not yet" and asks again. Safe from any thread.
 *
 * <p>Internal topics get as many replicas as their key says, but no more than there are brokers: on one node, Kafka's defaults would
 * never be met. Voters count as brokers before they are registered, so that a cluster that has just begun makes no topic of one replica.
 */
public final class AutoTopicCreation {
    private static final Logger LOG = LoggerFactory.getLogger(AutoTopicCreation.class);
    /** Bound on topics that are being made, against clients that ask for ever new names. */
    private static final int IN_FLIGHT_MAX = 10_000;

    private static final int TIMEOUT_MS = 30_000;

    private final ControlPlane plane;
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();

    /** Creation through the broker's control plane. */
    public AutoTopicCreation(ControlPlane plane) {
        this.plane = plane;
    }

    /** Makes those of {@code names} that have a valid name and are not being made already; the answer is the error to tell now. */
    public Map<String, Errors> create(Set<String> names) {
        Map<String, Errors> told = new HashMap<>();
        Set<String> begun = new HashSet<>();
        for (String name : names) {
            told.put(name, error(name));
            if (told.get(name) == Errors.UNKNOWN_TOPIC_OR_PARTITION
                    && inFlight.size() < IN_FLIGHT_MAX
                    && inFlight.add(name)) {
                begun.add(name);
            }
        }
        if (!begun.isEmpty()) {
            send(begun);
        }
        return told;
    }

    /** What to say of a topic that is not there. */
    static Errors error(String name) {
        try {
            Topic.validate(name);
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        } catch (InvalidTopicException e) {
            return Errors.INVALID_TOPIC_EXCEPTION;
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a failure is logged, and the next request tries again
    private void send(Set<String> names) {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        names.forEach(name -> request.topics().add(creatable(name)));
        create(request).whenComplete((response, failure) -> {
            inFlight.removeAll(names);
            if (failure != null) {
                LOG.warn("topics could not be made on demand; topics={}", names, failure);
                return;
            }
            response.topics().forEach(t -> {
                if (t.errorCode() != Errors.NONE.code() && t.errorCode() != Errors.TOPIC_ALREADY_EXISTS.code()) {
                    LOG.warn(
                            "a topic could not be made on demand; topic={} error={} message={}",
                            t.name(),
                            Errors.forCode(t.errorCode()),
                            t.errorMessage());
                }
            });
        });
    }

    private CompletableFuture<CreateTopicsResponseData> create(CreateTopicsRequestData request) {
        return plane.forwarder().isNeeded()
                ? plane.forwarder()
                        .send(request.setTimeoutMs(TIMEOUT_MS))
                        .thenApply(CreateTopicsResponseData.class::cast)
                : plane.controller()
                        .submit("CreateTopics", image -> plane.rules().topics().create(image, request));
    }

    private CreatableTopic creatable(String name) {
        return switch (name) {
            case Topic.GROUP_METADATA_TOPIC_NAME -> internal(name, "offsets.topic.");
            case Topic.TRANSACTION_STATE_TOPIC_NAME -> internal(name, "transaction.state.log.");
            case Topic.SHARE_GROUP_STATE_TOPIC_NAME -> internal(name, "share.coordinator.state.topic.");
            default -> new CreatableTopic().setName(name).setNumPartitions(-1).setReplicationFactor((short) -1);
        };
    }

    private CreatableTopic internal(String name, String prefix) {
        BrokerConfig config = plane.config().current();
        int brokers = brokers(config);
        CreatableTopic topic = new CreatableTopic()
                .setName(name)
                .setNumPartitions(config.getInt(prefix + "num.partitions"))
                .setReplicationFactor((short) Math.min(brokers, config.getShort(prefix + "replication.factor")));
        set(topic, "cleanup.policy", name.equals(Topic.SHARE_GROUP_STATE_TOPIC_NAME) ? "delete" : "compact");
        set(topic, "compression.type", name.equals(Topic.TRANSACTION_STATE_TOPIC_NAME) ? "uncompressed" : "producer");
        set(topic, "segment.bytes", Integer.toString(Math.max(1 << 20, config.getInt(prefix + "segment.bytes"))));
        if (name.equals(Topic.TRANSACTION_STATE_TOPIC_NAME)) {
            set(topic, "min.insync.replicas", Integer.toString(Math.min(brokers, config.getInt(prefix + "min.isr"))));
            set(topic, "unclean.leader.election.enable", "false");
        } else if (name.equals(Topic.SHARE_GROUP_STATE_TOPIC_NAME)) {
            set(topic, "min.insync.replicas", Integer.toString(Math.min(brokers, config.getShort(prefix + "min.isr"))));
            set(topic, "retention.ms", "-1");
        }
        return topic;
    }

    /** Those that are registered; and the voters, which are all brokers and may still be on their way. */
    private int brokers(BrokerConfig config) {
        int voters = config.getList("controller.quorum.voters").size();
        return Math.max(1, Math.max(voters, plane.metadata().image().brokers().size()));
    }

    private static void set(CreatableTopic topic, String key, String value) {
        topic.configs().add(new CreatableTopicConfig().setName(key).setValue(value));
    }
}
