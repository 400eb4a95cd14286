package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.Policies;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.metadata.FenceBrokerRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.policy.CreateTopicPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopicHandlersTest {
    private final ControlPlaneFixture broker = new ControlPlaneFixture(Map.of("num.partitions", "4"), Policies.NONE);

    @Test
    void a_topic_is_made_with_its_settings_and_answered_with_all_it_has() {
        CreatableTopic topic = topic("orders", 2, 1);
        topic.configs().add(new CreatableTopicConfig().setName("retention.ms").setValue("1000"));

        CreatableTopicResult result = create(topic);

        assertThat(result.errorCode()).isZero();
        assertThat(result.topicId())
                .isEqualTo(broker.metadata.image().topic("orders").id());
        assertThat(result.numPartitions()).isEqualTo(2);
        assertThat(result.replicationFactor()).isEqualTo((short) 1);
        assertThat(result.configs()).hasSize(38);
        assertThat(result.configs())
                .filteredOn(c -> c.name().equals("retention.ms"))
                .singleElement()
                .satisfies(c -> {
                    assertThat(c.value()).isEqualTo("1000");
                    assertThat(c.configSource()).isEqualTo((byte) 1);
                });
        assertThat(broker.metadata.image().config(new ConfigResource(ConfigResource.Type.TOPIC, "orders")))
                .containsExactly(Map.entry("retention.ms", "1000"));
    }

    @Test
    void defaults_fill_in_what_is_not_named() {
        CreatableTopicResult result = create(topic("orders", -1, -1));

        assertThat(result.numPartitions()).isEqualTo(4);
        assertThat(result.replicationFactor()).isEqualTo((short) 1);
    }

    @ParameterizedTest
    @CsvSource({
        "bad name, 1, 1, INVALID_TOPIC_EXCEPTION",
        ".., 1, 1, INVALID_TOPIC_EXCEPTION",
        "there, 1, 1, TOPIC_ALREADY_EXISTS",
        "with_dot, 1, 1, INVALID_TOPIC_EXCEPTION",
        "t, 0, 1, INVALID_PARTITIONS",
        "t, -2, 1, INVALID_PARTITIONS",
        "t, 1, 0, INVALID_REPLICATION_FACTOR",
        "t, 1, -2, INVALID_REPLICATION_FACTOR",
        "t, 1, 2, INVALID_REPLICATION_FACTOR",
        "__cluster_metadata, 1, 1, INVALID_REQUEST",
    })
    void a_topic_that_cannot_be_made_is_answered_with_kafkas_error(
            String name, int partitions, short factor, Errors error) {
        broker.createTopic("there", 1);
        broker.createTopic("with.dot", 1);

        CreatableTopicResult result = create(topic(name, partitions, factor));

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(error);
        assertThat(result.errorMessage()).isNotBlank();
    }

    @Test
    void settings_are_checked_before_partitions() {
        CreatableTopic unknown = topic("t", 1, 1);
        unknown.configs().add(new CreatableTopicConfig().setName("no.such").setValue("1"));
        CreatableTopic bad = topic("t", 0, 1);
        bad.configs().add(new CreatableTopicConfig().setName("segment.bytes").setValue("-1"));
        CreatableTopic without = topic("t", 1, 1);
        without.configs().add(new CreatableTopicConfig().setName("retention.ms").setValue(null));

        assertThat(create(unknown).errorMessage()).isEqualTo("Unknown topic config name: no.such");
        assertThat(create(bad)).satisfies(r -> {
            assertThat(Errors.forCode(r.errorCode())).isEqualTo(Errors.INVALID_CONFIG);
            assertThat(r.errorMessage())
                    .isEqualTo("Invalid value -1 for configuration segment.bytes: Value must be at least 1048576");
        });
        assertThat(create(without).errorMessage())
                .isEqualTo("Null value not supported for topic configs: retention.ms");
    }

    @Test
    void a_name_twice_in_a_request_is_made_not_at_all() {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics().mustAdd(topic("t", 1, 1));
        request.topics().mustAdd(topic("t", 2, 1));

        CreateTopicsResponseData response = broker.send(ApiKeys.CREATE_TOPICS, request, CreateTopicsResponseData.class);

        assertThat(response.topics()).singleElement().satisfies(t -> assertThat(Errors.forCode(t.errorCode()))
                .isEqualTo(Errors.INVALID_REQUEST));
        assertThat(broker.metadata.image().topic("t")).isNull();
    }

    @Test
    void validating_only_makes_nothing() {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setValidateOnly(true);
        request.topics().add(topic("t", 1, 1));

        assertThat(broker.send(ApiKeys.CREATE_TOPICS, request, CreateTopicsResponseData.class)
                        .topics()
                        .find("t")
                        .errorCode())
                .isZero();
        assertThat(broker.metadata.image().topic("t")).isNull();
    }

    @Test
    void replicas_chosen_by_hand_are_checked() {
        assertThat(Errors.forCode(create(assigned("t", -1, -1, List.of(1))).errorCode()))
                .isEqualTo(Errors.NONE);
        assertThat(broker.metadata.image().topic("t").partitions()).hasSize(1);
        assertThat(Errors.forCode(create(assigned("u", 1, -1, List.of(1))).errorCode()))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(Errors.forCode(create(assigned("u", -1, 1, List.of(1))).errorCode()))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(create(assigned("u", -1, -1, List.of(2))).errorMessage())
                .contains("broker 2, but no such broker is registered");
        assertThat(create(assigned("u", -1, -1, List.of(1, 1))).errorMessage()).contains("more than once");
        assertThat(create(assigned("u", -1, -1, List.of())).errorMessage()).contains("empty replica list");
        CreatableTopic gap = assigned("u", -1, -1, List.of(1));
        gap.assignments()
                .add(new CreatableReplicaAssignment().setPartitionIndex(2).setBrokerIds(List.of(1)));
        assertThat(create(gap).errorMessage()).contains("consecutive");
    }

    @Test
    void with_every_broker_fenced_no_topic_can_be_made() {
        broker.metadata.replay(new FenceBrokerRecord()
                .setId(1)
                .setEpoch(broker.metadata.image().broker(1).orElseThrow().epoch()));

        assertThat(Errors.forCode(create(topic("t", 1, 1)).errorCode())).isEqualTo(Errors.INVALID_REPLICATION_FACTOR);
        assertThat(Errors.forCode(create(assigned("t", -1, -1, List.of(1))).errorCode()))
                .isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT);
    }

    @Test
    void too_many_partitions_are_refused_as_a_whole() {
        assertThat(Errors.forCode(create(topic("t", 10_001, 1)).errorCode())).isEqualTo(Errors.POLICY_VIOLATION);
    }

    @Test
    void the_operators_policy_may_refuse() {
        ControlPlaneFixture strict =
                new ControlPlaneFixture(Map.of(), new Policies(Optional.of(new NoTemporaryTopics()), Optional.empty()));
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics().add(topic("tmp-x", 1, 1));

        CreatableTopicResult result = strict.send(ApiKeys.CREATE_TOPICS, request, CreateTopicsResponseData.class)
                .topics()
                .find("tmp-x");

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.POLICY_VIOLATION);
        assertThat(result.errorMessage()).isEqualTo("no temporary topics");
    }

    @ParameterizedTest
    @CsvSource({
        "there, 4, NONE",
        "there, 3, INVALID_PARTITIONS",
        "there, 2, INVALID_PARTITIONS",
        "there, -2147483648, INVALID_PARTITIONS",
        "not-there, 4, UNKNOWN_TOPIC_OR_PARTITION"
    })
    void partitions_are_only_ever_added(String name, int count, Errors error) {
        broker.createTopic("there", 3);

        assertThat(Errors.forCode(addPartitions(new CreatePartitionsTopic()
                                .setName(name)
                                .setCount(count)
                                .setAssignments(null))
                        .errorCode()))
                .isEqualTo(error);
        assertThat(broker.metadata.image().topic("there").partitions()).hasSize(error == Errors.NONE ? 4 : 3);
    }

    @Test
    void added_partitions_are_bounded_over_all_topics_of_a_request() {
        broker.createTopic("one", 1);
        broker.createTopic("two", 1);
        CreatePartitionsRequestData request = new CreatePartitionsRequestData();
        List.of("one", "two").forEach(name -> request.topics()
                .add(new CreatePartitionsTopic().setName(name).setCount(6_001).setAssignments(null)));

        var results = broker.send(ApiKeys.CREATE_PARTITIONS, request, CreatePartitionsResponseData.class)
                .results();

        assertThat(results)
                .extracting(CreatePartitionsTopicResult::errorCode)
                .containsExactly(Errors.NONE.code(), Errors.POLICY_VIOLATION.code());
        assertThat(broker.metadata.image().topic("two").partitions()).hasSize(1);
    }

    @Test
    void assignments_of_added_partitions_are_checked() {
        broker.createTopic("t", 1);

        assertThat(Errors.forCode(addPartitions(widened(3, List.of(1))).errorCode()))
                .isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT);
        assertThat(addPartitions(widened(2, List.of(1, 1))).errorMessage()).contains("more than once");
        assertThat(Errors.forCode(addPartitions(widened(2, List.of(1))).errorCode()))
                .isEqualTo(Errors.NONE);
    }

    @Test
    void topics_are_deleted_by_name_and_by_id_with_their_settings() {
        broker.createTopic("a", 1);
        broker.createTopic("b", 1);
        Uuid b = broker.metadata.image().topic("b").id();
        DeleteTopicsRequestData request = new DeleteTopicsRequestData()
                .setTopics(List.of(
                        new DeleteTopicState().setName("a"),
                        new DeleteTopicState().setName(null).setTopicId(b),
                        new DeleteTopicState().setName("c"),
                        new DeleteTopicState().setName(null).setTopicId(new Uuid(9, 9)),
                        new DeleteTopicState().setName("x").setTopicId(new Uuid(9, 8)),
                        new DeleteTopicState().setName(null)));

        DeleteTopicsResponseData response = broker.send(ApiKeys.DELETE_TOPICS, request, DeleteTopicsResponseData.class);

        assertThat(response.responses())
                .extracting(r -> Errors.forCode(r.errorCode()))
                .containsExactlyInAnyOrder(
                        Errors.NONE,
                        Errors.NONE,
                        Errors.UNKNOWN_TOPIC_OR_PARTITION,
                        Errors.UNKNOWN_TOPIC_ID,
                        Errors.INVALID_REQUEST,
                        Errors.INVALID_REQUEST);
        assertThat(broker.metadata.image().topics()).isEmpty();
    }

    @Test
    void a_topic_named_twice_is_left_alone() {
        broker.createTopic("a", 1);
        Uuid a = broker.metadata.image().topic("a").id();
        DeleteTopicsRequestData request = new DeleteTopicsRequestData()
                .setTopics(List.of(
                        new DeleteTopicState().setName("a"),
                        new DeleteTopicState().setName(null).setTopicId(a)));

        DeleteTopicsResponseData response = broker.send(ApiKeys.DELETE_TOPICS, request, DeleteTopicsResponseData.class);

        assertThat(response.responses()).singleElement().satisfies(r -> assertThat(Errors.forCode(r.errorCode()))
                .isEqualTo(Errors.INVALID_REQUEST));
        assertThat(broker.metadata.image().topic("a")).isNotNull();
    }

    @ParameterizedTest
    @CsvSource({"2, INVALID_REQUEST", "3, TOPIC_DELETION_DISABLED", "5, TOPIC_DELETION_DISABLED"})
    void deletion_can_be_switched_off(int version, Errors error) {
        ControlPlaneFixture keeping = new ControlPlaneFixture(Map.of("delete.topic.enable", "false"), Policies.NONE);
        keeping.createTopic("a", 1);

        DeleteTopicsResponseData response = keeping.send(
                ApiKeys.DELETE_TOPICS,
                version,
                new DeleteTopicsRequestData().setTopicNames(List.of("a")),
                DeleteTopicsResponseData.class);

        assertThat(Errors.forCode(response.responses().find("a").errorCode())).isEqualTo(error);
    }

    private CreatableTopicResult create(CreatableTopic topic) {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics().add(topic);
        return broker.send(ApiKeys.CREATE_TOPICS, request, CreateTopicsResponseData.class)
                .topics()
                .find(topic.name());
    }

    private CreatePartitionsTopicResult addPartitions(CreatePartitionsTopic topic) {
        CreatePartitionsRequestData request = new CreatePartitionsRequestData();
        request.topics().add(topic);
        return broker.send(ApiKeys.CREATE_PARTITIONS, request, CreatePartitionsResponseData.class)
                .results()
                .get(0);
    }

    private static CreatePartitionsTopic widened(int count, List<Integer> replicas) {
        return new CreatePartitionsTopic()
                .setName("t")
                .setCount(count)
                .setAssignments(List.of(new CreatePartitionsAssignment().setBrokerIds(replicas)));
    }

    private static CreatableTopic topic(String name, int partitions, int factor) {
        return new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short) factor);
    }

    private static CreatableTopic assigned(String name, int partitions, int factor, List<Integer> replicas) {
        CreatableTopic topic = topic(name, partitions, factor);
        topic.assignments()
                .add(new CreatableReplicaAssignment().setPartitionIndex(0).setBrokerIds(replicas));
        return topic;
    }

    private static final class NoTemporaryTopics implements CreateTopicPolicy {
        @Override
        public void validate(RequestMetadata request) {
            if (request.topic().startsWith("tmp-")) {
                throw new PolicyViolationException("no temporary topics");
            }
        }

        @Override
        public void configure(Map<String, ?> configs) {}

        @Override
        public void close() {}
    }
}
