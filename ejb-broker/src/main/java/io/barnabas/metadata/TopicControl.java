package io.barnabas.metadata;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.server.policy.CreateTopicPolicy;
import org.jspecify.annotations.Nullable;

/**
 * The rules of making topics and adding partitions: a request and the present image become records and an answer for each topic. Comes
 * after the request's handler, before the {@link Controller} proposes the records. Pure, but for the operator's policy and the ids and
 * random numbers it is given. Deleting is {@link TopicRemoval}'s.
 */
public final class TopicControl {
    private static final int PARTITIONS_PER_REQUEST_MAX = 10_000;

    private final LiveConfig config;
    private final ConfigControl configs;
    private final Policies policies;
    private final Supplier<Uuid> ids;
    private final RandomGenerator random;

    /**
     * Rules under this broker's configuration.
     *
     * @param ids makes the ids of topics, random and never the same twice
     * @param random spreads leaders over brokers
     */
    public TopicControl(
            LiveConfig config, ConfigControl configs, Policies policies, Supplier<Uuid> ids, RandomGenerator random) {
        this.config = config;
        this.configs = configs;
        this.policies = policies;
        this.ids = ids;
        this.random = random;
    }

    /**
     * Makes the topics that can be made.
     *
     * @throws PolicyViolationException if the request asks for too many partitions as a whole
     */
    public Decision<CreateTopicsResponseData> create(MetadataImage image, CreateTopicsRequestData request) {
        Set<String> names = new LinkedHashSet<>();
        Set<String> duplicates = new LinkedHashSet<>();
        request.topics().forEach(t -> (names.add(t.name()) ? names : duplicates).add(t.name()));
        List<CreatableTopic> wanted = request.topics().stream()
                .filter(t -> !duplicates.contains(t.name()) && !t.name().equals(Topic.CLUSTER_METADATA_TOPIC_NAME))
                .toList();
        checkTotal(wanted);
        List<ApiMessage> records = new ArrayList<>();
        CreateTopicsResponseData response = new CreateTopicsResponseData();
        Map<String, String> taken = takenNames(image, wanted);
        for (CreatableTopic topic : wanted) {
            response.topics().add(create(image, topic, taken, records));
        }
        duplicates.forEach(name ->
                response.topics().add(failed(name, new ApiError(Errors.INVALID_REQUEST, "Duplicate topic name."))));
        if (names.contains(Topic.CLUSTER_METADATA_TOPIC_NAME)
                && !duplicates.contains(Topic.CLUSTER_METADATA_TOPIC_NAME)) {
            response.topics()
                    .add(failed(
                            Topic.CLUSTER_METADATA_TOPIC_NAME,
                            new ApiError(
                                    Errors.INVALID_REQUEST,
                                    "Creation of internal topic " + Topic.CLUSTER_METADATA_TOPIC_NAME
                                            + " is prohibited.")));
        }
        return Decision.of(request.validateOnly() ? List.of() : records, response);
    }

    private void checkTotal(List<CreatableTopic> topics) {
        long total = 0;
        for (CreatableTopic topic : topics) {
            if (!topic.assignments().isEmpty()) {
                total += topic.assignments().size();
            } else {
                total += topic.numPartitions() == -1
                        ? config.current().getInt("num.partitions")
                        : Math.max(0, topic.numPartitions());
            }
        }
        if (total > PARTITIONS_PER_REQUEST_MAX) {
            throw new PolicyViolationException("Excessively large number of partitions per request.");
        }
    }

    /** Names of present topics with a dot or underscore, by the form in which metrics could not tell them apart. */
    private static Map<String, String> takenNames(MetadataImage image, List<CreatableTopic> wanted) {
        Map<String, String> taken = new LinkedHashMap<>();
        if (wanted.stream().anyMatch(t -> Topic.hasCollisionChars(t.name()))) {
            for (TopicImage topic : image.topics()) {
                if (Topic.hasCollisionChars(topic.name())) {
                    taken.putIfAbsent(Topic.unifyCollisionChars(topic.name()), topic.name());
                }
            }
        }
        return taken;
    }

    private CreatableTopicResult create(
            MetadataImage image, CreatableTopic topic, Map<String, String> taken, List<ApiMessage> records) {
        List<ApiMessage> own = new ArrayList<>();
        try {
            checkName(image, topic.name(), taken);
            Map<String, String> settings = settings(topic);
            List<ApiMessage> configRecords = new ArrayList<>();
            ApiError error = settings.isEmpty()
                    ? ApiError.NONE
                    : configs.forNewTopic(image, topic.name(), settings, configRecords);
            if (error.isFailure()) {
                return failed(topic.name(), error);
            }
            ReplicaPlacement placement = new ReplicaPlacement(image, random);
            List<NewPartition> partitions = partitions(topic, placement);
            checkPolicy(topic, partitions, settings);
            Uuid id = ids.get();
            own.add(new TopicRecord().setName(topic.name()).setTopicId(id));
            own.addAll(configRecords);
            for (int p = 0; p < partitions.size(); p++) {
                own.add(placement.record(
                        id, p, partitions.get(p).replicas(), partitions.get(p).isr()));
            }
            records.addAll(own);
            return made(topic.name(), id, partitions, settings);
        } catch (RuntimeException e) {
            return failed(topic.name(), ApiError.fromThrowable(e));
        }
    }

    private static void checkName(MetadataImage image, String name, Map<String, String> taken) {
        if (image.topic(name) != null) {
            throw Errors.TOPIC_ALREADY_EXISTS.exception("Topic '" + name + "' already exists.");
        }
        Topic.validate(name);
        @Nullable String other = Topic.hasCollisionChars(name) ? taken.get(Topic.unifyCollisionChars(name)) : null;
        if (other != null) {
            throw new InvalidTopicException("Topic '" + name + "' collides with existing topic: " + other);
        }
    }

    private static Map<String, String> settings(CreatableTopic topic) {
        Map<String, String> settings = new LinkedHashMap<>();
        List<String> without = new ArrayList<>();
        topic.configs().forEach(c -> {
            if (c.value() == null) {
                without.add(c.name());
            } else {
                settings.put(c.name(), c.value());
            }
        });
        if (!without.isEmpty()) {
            throw Errors.INVALID_CONFIG.exception(
                    "Null value not supported for topic configs: " + String.join(",", without));
        }
        return settings;
    }

    private record NewPartition(List<Integer> replicas, List<Integer> isr) {}

    private List<NewPartition> partitions(CreatableTopic topic, ReplicaPlacement placement) {
        if (!topic.assignments().isEmpty()) {
            return assigned(topic, placement);
        }
        if (topic.replicationFactor() < -1 || topic.replicationFactor() == 0) {
            throw new InvalidReplicationFactorException(
                    "Replication factor must be larger than 0, or -1 to use the default value.");
        }
        if (topic.numPartitions() < -1 || topic.numPartitions() == 0) {
            throw new InvalidPartitionsException("Number of partitions was set to an invalid non-positive value.");
        }
        BrokerConfig broker = config.current();
        int partitions = topic.numPartitions() == -1 ? broker.getInt("num.partitions") : topic.numPartitions();
        int factor = topic.replicationFactor() == -1
                ? broker.getInt("default.replication.factor")
                : topic.replicationFactor();
        try {
            return placement.place(partitions, factor).stream()
                    .map(r -> inSync(r, placement))
                    .toList();
        } catch (InvalidReplicationFactorException e) {
            throw new InvalidReplicationFactorException(
                    "Unable to replicate the partition " + factor + " time(s): " + e.getMessage());
        }
    }

    private static NewPartition inSync(List<Integer> replicas, ReplicaPlacement placement) {
        List<Integer> isr = replicas.stream().filter(placement::isActive).toList();
        if (isr.isEmpty()) {
            throw new InvalidReplicationFactorException("All brokers are currently fenced or in controlled shutdown.");
        }
        return new NewPartition(replicas, isr);
    }

    private static List<NewPartition> assigned(CreatableTopic topic, ReplicaPlacement placement) {
        if (topic.replicationFactor() != -1) {
            throw Errors.INVALID_REQUEST.exception(
                    "A manual partition assignment was specified, but replication factor was not set to -1.");
        }
        if (topic.numPartitions() != -1) {
            throw Errors.INVALID_REQUEST.exception(
                    "A manual partition assignment was specified, but numPartitions was not set to -1.");
        }
        OptionalInt factor = OptionalInt.empty();
        Map<Integer, NewPartition> partitions = new TreeMap<>();
        for (CreatableReplicaAssignment assignment : topic.assignments()) {
            int p = assignment.partitionIndex();
            if (partitions.containsKey(p)) {
                throw new InvalidReplicaAssignmentException(
                        "Found multiple manual partition assignments for partition " + p);
            }
            partitions.put(p, checked(assignment.brokerIds(), factor, placement, p));
            factor = OptionalInt.of(assignment.brokerIds().size());
        }
        for (int p = 0; p < partitions.size(); p++) {
            if (!partitions.containsKey(p)) {
                throw new InvalidReplicaAssignmentException(
                        "partitions should be a consecutive 0-based integer sequence");
            }
        }
        return List.copyOf(partitions.values());
    }

    private static NewPartition checked(
            List<Integer> replicas, OptionalInt factor, ReplicaPlacement placement, int partition) {
        placement.check(replicas, factor);
        List<Integer> isr = replicas.stream().filter(placement::isActive).toList();
        if (isr.isEmpty()) {
            throw new InvalidReplicaAssignmentException(
                    "All brokers specified in the manual partition assignment for partition " + partition
                            + " are fenced or in controlled shutdown.");
        }
        return new NewPartition(List.copyOf(replicas), isr);
    }

    private void checkPolicy(CreatableTopic topic, List<NewPartition> partitions, Map<String, String> settings) {
        if (policies.createTopic().isEmpty()) {
            return;
        }
        CreateTopicPolicy policy = policies.createTopic().get();
        if (topic.assignments().isEmpty()) {
            short factor = (short) partitions.get(0).replicas().size();
            policy.validate(
                    new CreateTopicPolicy.RequestMetadata(topic.name(), partitions.size(), factor, null, settings));
        } else {
            Map<Integer, List<Integer>> assignments = new LinkedHashMap<>();
            for (int p = 0; p < partitions.size(); p++) {
                assignments.put(p, partitions.get(p).replicas());
            }
            policy.validate(new CreateTopicPolicy.RequestMetadata(topic.name(), null, null, assignments, settings));
        }
    }

    private CreatableTopicResult made(
            String name, Uuid id, List<NewPartition> partitions, Map<String, String> settings) {
        CreatableTopicResult result = new CreatableTopicResult()
                .setName(name)
                .setTopicId(id)
                .setErrorMessage(null)
                .setNumPartitions(partitions.size())
                .setReplicationFactor((short) partitions.get(0).replicas().size());
        EffectiveTopicConfigs.of(config, settings).forEach(result.configs()::add);
        return result;
    }

    private static CreatableTopicResult failed(String name, ApiError error) {
        return new CreatableTopicResult()
                .setName(name)
                .setErrorCode(error.error().code())
                .setErrorMessage(error.message());
    }

    /** Adds partitions to topics, as far as the request as a whole stays within its bound. */
    public Decision<List<CreatePartitionsTopicResult>> createPartitions(
            MetadataImage image, CreatePartitionsRequestData request) {
        Set<String> seen = new HashSet<>();
        Set<String> duplicates = new LinkedHashSet<>();
        request.topics().stream()
                .map(CreatePartitionsTopic::name)
                .filter(n -> !seen.add(n))
                .forEach(duplicates::add);
        List<CreatePartitionsTopicResult> results = new ArrayList<>();
        duplicates.forEach(n -> results.add(new CreatePartitionsTopicResult()
                .setName(n)
                .setErrorCode(Errors.INVALID_REQUEST.code())
                .setErrorMessage("Duplicate topic name.")));
        List<ApiMessage> records = new ArrayList<>();
        for (CreatePartitionsTopic topic : request.topics()) {
            if (duplicates.contains(topic.name())) {
                continue;
            }
            ApiError error = ApiError.NONE;
            try {
                records.addAll(added(image, topic, PARTITIONS_PER_REQUEST_MAX - records.size()));
            } catch (ApiException e) {
                error = ApiError.fromThrowable(e);
            }
            results.add(new CreatePartitionsTopicResult()
                    .setName(topic.name())
                    .setErrorCode(error.error().code())
                    .setErrorMessage(error.message()));
        }
        return Decision.of(request.validateOnly() ? List.of() : records, results);
    }

    private List<ApiMessage> added(MetadataImage image, CreatePartitionsTopic wanted, int most) {
        @Nullable TopicImage topic = image.topic(wanted.name());
        if (topic == null) {
            throw new UnknownTopicOrPartitionException(Errors.UNKNOWN_TOPIC_OR_PARTITION.message());
        }
        int present = topic.partitions().size();
        long more = (long) wanted.count() - present;
        if (more == 0) {
            throw new InvalidPartitionsException("Topic already has " + present + " partition(s).");
        } else if (more < 0) {
            throw new InvalidPartitionsException("The topic " + wanted.name() + " currently has " + present
                    + " partition(s); " + wanted.count() + " would not be an increase.");
        } else if (more > most) {
            throw new PolicyViolationException("Excessively large number of partitions per request.");
        }
        int additional = (int) more;
        if (wanted.assignments() != null && wanted.assignments().size() != additional) {
            throw new InvalidReplicaAssignmentException("Attempted to add " + additional
                    + " additional partition(s), but only "
                    + wanted.assignments().size()
                    + " assignment(s) were specified.");
        }
        int factor = topic.partitions().get(0).replicas().size();
        ReplicaPlacement placement = new ReplicaPlacement(image, random);
        List<NewPartition> partitions = new ArrayList<>();
        if (wanted.assignments() == null) {
            placement.place(additional, factor).forEach(r -> partitions.add(inSync(r, placement)));
        } else {
            for (var assignment : wanted.assignments()) {
                partitions.add(checked(
                        assignment.brokerIds(), OptionalInt.of(factor), placement, present + partitions.size()));
            }
        }
        List<ApiMessage> records = new ArrayList<>();
        for (NewPartition p : partitions) {
            records.add(placement.record(topic.id(), present + records.size(), p.replicas(), p.isr()));
        }
        return records;
    }
}
