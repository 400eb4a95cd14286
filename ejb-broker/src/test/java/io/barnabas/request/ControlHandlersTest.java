package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.barnabas.metadata.TestMetadata;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AddRaftVoterRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.RemoveRaftVoterRequestData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.metadata.FenceBrokerRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ControlHandlersTest {
    private final ControlPlaneFixture broker = new ControlPlaneFixture();

    private static final Map<ApiKeys, Supplier<ApiMessage>> REQUESTS = Map.ofEntries(
            Map.entry(ApiKeys.METADATA, () -> new MetadataRequestData()
                    .setTopics(List.of(
                            new MetadataRequestTopic().setName("there"),
                            new MetadataRequestTopic().setName("not-there")))),
            Map.entry(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, DescribeTopicPartitionsRequestData::new),
            Map.entry(ApiKeys.DESCRIBE_CLUSTER, DescribeClusterRequestData::new),
            Map.entry(ApiKeys.CREATE_TOPICS, () -> {
                CreateTopicsRequestData request = new CreateTopicsRequestData();
                request.topics()
                        .add(new CreateTopicsRequestData.CreatableTopic()
                                .setName("new")
                                .setNumPartitions(2)
                                .setReplicationFactor((short) 1));
                request.topics()
                        .add(new CreateTopicsRequestData.CreatableTopic()
                                .setName("there")
                                .setNumPartitions(2)
                                .setReplicationFactor((short) 1));
                return request;
            }),
            Map.entry(ApiKeys.DELETE_TOPICS, DeleteTopicsRequestData::new),
            Map.entry(ApiKeys.CREATE_PARTITIONS, () -> {
                CreatePartitionsRequestData request = new CreatePartitionsRequestData();
                request.topics()
                        .add(new CreatePartitionsRequestData.CreatePartitionsTopic()
                                .setName("there")
                                .setCount(5)
                                .setAssignments(null));
                return request;
            }),
            Map.entry(ApiKeys.DESCRIBE_CONFIGS, () -> new DescribeConfigsRequestData()
                    .setIncludeSynonyms(true)
                    .setResources(List.of(
                            new DescribeConfigsRequestData.DescribeConfigsResource()
                                    .setResourceType((byte) 2)
                                    .setResourceName("there")
                                    .setConfigurationKeys(null),
                            new DescribeConfigsRequestData.DescribeConfigsResource()
                                    .setResourceType((byte) 4)
                                    .setResourceName("1")
                                    .setConfigurationKeys(null),
                            new DescribeConfigsRequestData.DescribeConfigsResource()
                                    .setResourceType((byte) 8)
                                    .setResourceName("1")
                                    .setConfigurationKeys(null)))),
            Map.entry(ApiKeys.ALTER_CONFIGS, AlterConfigsRequestData::new),
            Map.entry(ApiKeys.INCREMENTAL_ALTER_CONFIGS, IncrementalAlterConfigsRequestData::new),
            Map.entry(ApiKeys.LIST_CONFIG_RESOURCES, ListConfigResourcesRequestData::new),
            Map.entry(ApiKeys.ELECT_LEADERS, () -> new ElectLeadersRequestData().setTopicPartitions(null)),
            Map.entry(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, AlterPartitionReassignmentsRequestData::new),
            Map.entry(ApiKeys.LIST_PARTITION_REASSIGNMENTS, () -> new ListPartitionReassignmentsRequestData()
                    .setTopics(null)),
            Map.entry(ApiKeys.DESCRIBE_QUORUM, ControlHandlersTest::quorumRequest),
            Map.entry(ApiKeys.ADD_RAFT_VOTER, AddRaftVoterRequestData::new),
            Map.entry(ApiKeys.REMOVE_RAFT_VOTER, RemoveRaftVoterRequestData::new),
            Map.entry(ApiKeys.UPDATE_FEATURES, UpdateFeaturesRequestData::new),
            Map.entry(ApiKeys.UNREGISTER_BROKER, () -> new UnregisterBrokerRequestData().setBrokerId(9)));

    static Stream<Arguments> everyVersion() {
        return REQUESTS.keySet().stream()
                .flatMap(api -> IntStream.rangeClosed(api.oldestVersion(), api.latestVersion(false))
                        .mapToObj(version -> Arguments.of(api, version)));
    }

    @ParameterizedTest
    @MethodSource("everyVersion")
    void every_api_answers_in_every_version(ApiKeys api, int version) {
        broker.createTopic("there", 3);
        ApiMessage request = REQUESTS.get(api).get();
        if (api == ApiKeys.DELETE_TOPICS) {
            request = version >= 6
                    ? new DeleteTopicsRequestData()
                            .setTopics(List.of(new DeleteTopicsRequestData.DeleteTopicState().setName("there")))
                    : new DeleteTopicsRequestData().setTopicNames(List.of("there"));
        }
        ApiMessage sent = request;

        assertThatCode(() -> broker.send(api, version, sent, ApiMessage.class)).doesNotThrowAnyException();
    }

    @Test
    void every_handler_serves_the_apis_whole_range_and_none_is_missing() {
        assertThat(broker.handlers.served("PLAINTEXT")).hasSize(REQUESTS.size()).allSatisfy(served -> {
            ApiKeys api = ApiKeys.forId(served.apiKey());
            assertThat(served.minVersion()).isEqualTo(api.oldestVersion());
            assertThat(served.maxVersion()).isEqualTo(api.latestVersion(false));
        });
    }

    @Test
    void metadata_tells_of_topics_by_name_by_id_and_all() {
        broker.createTopic("a", 2);
        Uuid id = broker.metadata.image().topic("a").id();

        MetadataResponseData named = metadata(12, new MetadataRequestTopic().setName("a"));
        MetadataResponseData byId = metadata(
                13,
                new MetadataRequestTopic().setName(null).setTopicId(id),
                new MetadataRequestTopic().setName(null).setTopicId(new Uuid(5, 5)));
        MetadataResponseData all =
                broker.send(ApiKeys.METADATA, new MetadataRequestData().setTopics(null), MetadataResponseData.class);

        assertThat(named.clusterId()).isEqualTo(TestMetadata.CLUSTER_ID);
        assertThat(named.controllerId()).isEqualTo(1);
        assertThat(named.brokers()).singleElement().satisfies(b -> assertThat(b.host() + b.port())
                .isEqualTo("localhost9092"));
        assertThat(named.topics().find("a").topicId()).isEqualTo(id);
        assertThat(named.topics().find("a").partitions()).hasSize(2).allSatisfy(p -> assertThat(p.leaderId())
                .isEqualTo(1));
        assertThat(byId.topics())
                .extracting(t -> Errors.forCode(t.errorCode()))
                .containsExactlyInAnyOrder(Errors.NONE, Errors.UNKNOWN_TOPIC_ID);
        assertThat(all.topics()).hasSize(1);
    }

    @Test
    void nobody_is_sent_to_a_leader_of_which_nothing_is_heard() {
        broker.createTopic("a", 1);
        broker.silent.add(1);

        assertThat(metadata(12, new MetadataRequestTopic().setName("a"))
                        .topics()
                        .find("a")
                        .partitions())
                .singleElement()
                .satisfies(p -> {
                    assertThat(Errors.forCode(p.errorCode())).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
                    assertThat(p.leaderId()).isEqualTo(-1);
                });
        assertThat(broker.send(
                                ApiKeys.DESCRIBE_TOPIC_PARTITIONS,
                                new DescribeTopicPartitionsRequestData(),
                                DescribeTopicPartitionsResponseData.class)
                        .topics()
                        .find("a")
                        .partitions())
                .singleElement()
                .satisfies(p -> assertThat(p.leaderId()).isEqualTo(-1));
    }

    @Test
    void metadata_makes_a_missing_topic_only_if_the_client_and_the_broker_allow_it() {
        MetadataRequestTopic wanted = new MetadataRequestTopic().setName("later");

        MetadataResponseData without = broker.send(
                ApiKeys.METADATA,
                new MetadataRequestData().setTopics(List.of(wanted)).setAllowAutoTopicCreation(false),
                MetadataResponseData.class);
        assertThat(without.topics().find("later").errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        assertThat(broker.metadata.image().topic("later")).isNull();

        metadata(12, wanted, new MetadataRequestTopic().setName("bad name"));
        assertThat(broker.metadata.image().topic("later").partitions()).hasSize(1);
        assertThat(metadata(12, new MetadataRequestTopic().setName("bad name"))
                        .topics()
                        .find("bad name")
                        .errorCode())
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION.code());

        ControlPlaneFixture closed = new ControlPlaneFixture(
                Map.of("auto.create.topics.enable", "false"), io.barnabas.metadata.Policies.NONE);
        closed.send(
                ApiKeys.METADATA,
                new MetadataRequestData().setTopics(List.of(new MetadataRequestTopic().setName("x"))),
                MetadataResponseData.class);
        assertThat(closed.metadata.image().topic("x")).isNull();
    }

    @Test
    void the_offsets_topic_is_made_with_its_own_settings() {
        metadata(12, new MetadataRequestTopic().setName("__consumer_offsets"));

        assertThat(broker.metadata.image().topic("__consumer_offsets").partitions())
                .hasSize(50);
        assertThat(broker.metadata.image().config(new ConfigResource(ConfigResource.Type.TOPIC, "__consumer_offsets")))
                .containsEntry("cleanup.policy", "compact")
                .containsEntry("segment.bytes", "104857600")
                .containsEntry("compression.type", "producer");
    }

    @Test
    void metadata_gives_authorized_operations_when_asked() {
        broker.createTopic("a", 1);
        MetadataRequestData request = new MetadataRequestData()
                .setTopics(List.of(new MetadataRequestTopic().setName("a")))
                .setIncludeTopicAuthorizedOperations(true);

        MetadataResponseData response = broker.send(
                ApiKeys.METADATA, 9, request.setIncludeClusterAuthorizedOperations(true), MetadataResponseData.class);

        assertThat(response.topics().find("a").topicAuthorizedOperations()).isEqualTo(3576);
        assertThat(response.clusterAuthorizedOperations()).isEqualTo(8096);
        assertThat(metadata(9, new MetadataRequestTopic().setName("a")).clusterAuthorizedOperations())
                .isEqualTo(Integer.MIN_VALUE);
    }

    @Test
    void a_fenced_broker_is_not_listed_and_its_replicas_are_offline() {
        broker.createTopic("a", 1);
        broker.metadata.replay(new FenceBrokerRecord()
                .setId(1)
                .setEpoch(broker.metadata.image().broker(1).orElseThrow().epoch()));

        MetadataResponseData response = metadata(12, new MetadataRequestTopic().setName("a"));

        assertThat(response.brokers()).isEmpty();
        assertThat(response.controllerId()).isEqualTo(-1);
        assertThat(response.topics().find("a").partitions().get(0).offlineReplicas())
                .containsExactly(1);
        DescribeClusterResponseData cluster = broker.send(
                ApiKeys.DESCRIBE_CLUSTER,
                new DescribeClusterRequestData().setIncludeFencedBrokers(true),
                DescribeClusterResponseData.class);
        assertThat(cluster.brokers().find(1).isFenced()).isTrue();
    }

    @Test
    void topic_partitions_come_page_by_page() {
        broker.createTopic("a", 3);
        broker.createTopic("b", 3);
        DescribeTopicPartitionsRequestData request =
                new DescribeTopicPartitionsRequestData().setResponsePartitionLimit(4);

        DescribeTopicPartitionsResponseData first =
                broker.send(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, request, DescribeTopicPartitionsResponseData.class);
        assertThat(first.nextCursor().topicName()).isEqualTo("b");
        assertThat(first.nextCursor().partitionIndex()).isEqualTo(1);

        request.setCursor(new DescribeTopicPartitionsRequestData.Cursor()
                .setTopicName("b")
                .setPartitionIndex(1));
        DescribeTopicPartitionsResponseData second =
                broker.send(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, request, DescribeTopicPartitionsResponseData.class);
        assertThat(second.nextCursor()).isNull();
        assertThat(second.topics().find("b").partitions()).hasSize(2);
    }

    @Test
    void a_describe_of_controllers_is_refused_by_a_broker() {
        DescribeClusterResponseData mismatched = broker.send(
                ApiKeys.DESCRIBE_CLUSTER,
                new DescribeClusterRequestData().setEndpointType((byte) 2),
                DescribeClusterResponseData.class);
        DescribeClusterResponseData unknown = broker.send(
                ApiKeys.DESCRIBE_CLUSTER,
                new DescribeClusterRequestData().setEndpointType((byte) 9),
                DescribeClusterResponseData.class);

        assertThat(mismatched.errorCode()).isEqualTo(Errors.MISMATCHED_ENDPOINT_TYPE.code());
        assertThat(unknown.errorCode()).isEqualTo(Errors.UNSUPPORTED_ENDPOINT_TYPE.code());
    }

    @Test
    void config_resources_are_listed_by_type() {
        broker.createTopic("a", 1);

        ListConfigResourcesResponseData all = broker.send(
                ApiKeys.LIST_CONFIG_RESOURCES,
                new ListConfigResourcesRequestData(),
                ListConfigResourcesResponseData.class);
        ListConfigResourcesResponseData unknown = broker.send(
                ApiKeys.LIST_CONFIG_RESOURCES,
                new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) 77)),
                ListConfigResourcesResponseData.class);

        assertThat(all.configResources())
                .extracting(r -> r.resourceType() + r.resourceName())
                .containsExactlyInAnyOrder("2a", "41", "81");
        assertThat(unknown.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
    }

    @Test
    void leaders_that_are_preferred_need_no_election() {
        broker.createTopic("a", 1);
        ElectLeadersRequestData request = new ElectLeadersRequestData();
        request.topicPartitions()
                .add(new ElectLeadersRequestData.TopicPartitions().setTopic("a").setPartitions(List.of(0, 7)));

        ElectLeadersResponseData response = broker.send(ApiKeys.ELECT_LEADERS, request, ElectLeadersResponseData.class);
        ElectLeadersResponseData all = broker.send(
                ApiKeys.ELECT_LEADERS,
                new ElectLeadersRequestData().setTopicPartitions(null),
                ElectLeadersResponseData.class);
        ElectLeadersResponseData odd =
                broker.send(ApiKeys.ELECT_LEADERS, request.setElectionType((byte) 9), ElectLeadersResponseData.class);

        assertThat(response.replicaElectionResults().get(0).partitionResult())
                .extracting(p -> Errors.forCode(p.errorCode()))
                .containsExactly(Errors.ELECTION_NOT_NEEDED, Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(all.replicaElectionResults().get(0).partitionResult()).isEmpty();
        assertThat(odd.errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
    }

    @Test
    void the_quorum_is_this_node_with_the_journals_offset() {
        long last = broker.metadata.image().index();
        DescribeQuorumResponseData response =
                broker.send(ApiKeys.DESCRIBE_QUORUM, quorumRequest(), DescribeQuorumResponseData.class);

        assertThat(response.topics().get(0).partitions().get(0)).satisfies(p -> {
            assertThat(p.leaderId()).isEqualTo(1);
            assertThat(p.leaderEpoch()).isEqualTo(1);
            assertThat(p.highWatermark()).isEqualTo(last + 1);
            assertThat(p.currentVoters()).singleElement().satisfies(v -> assertThat(v.logEndOffset())
                    .isEqualTo(p.highWatermark()));
        });
        assertThat(response.nodes().find(1).listeners()).hasSize(1);
    }

    @Test
    void features_change_within_what_is_served_or_not_at_all() {
        assertThat(update("metadata.version", 33, 1).errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(update("metadata.version", 34, 1)).satisfies(r -> {
            assertThat(r.errorCode()).isEqualTo(Errors.INVALID_UPDATE_VERSION.code());
            assertThat(r.errorMessage()).contains("Local controller 1 only supports versions 33-33");
        });
        assertThat(update("share.version", 1, 1).errorMessage()).contains("does not support this feature");
        assertThat(update("metadata.version", -1, 1).errorMessage()).contains("cannot be less than 0");
        assertThat(update("metadata.version", 33, 9).errorMessage()).contains("upgrade type");
    }

    @Test
    void a_broker_that_is_not_registered_cannot_be_taken_out() {
        UnregisterBrokerResponseData response = broker.send(
                ApiKeys.UNREGISTER_BROKER,
                new UnregisterBrokerRequestData().setBrokerId(9),
                UnregisterBrokerResponseData.class);

        assertThat(response.errorCode()).isEqualTo(Errors.BROKER_ID_NOT_REGISTERED.code());
    }

    @Test
    void a_running_broker_cannot_be_taken_out() {
        broker.createTopic("there", 1);

        UnregisterBrokerResponseData response = broker.send(
                ApiKeys.UNREGISTER_BROKER,
                new UnregisterBrokerRequestData().setBrokerId(1),
                UnregisterBrokerResponseData.class);

        assertThat(response.errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
        assertThat(response.errorMessage()).contains("stop it first");
        assertThat(broker.metadata.image().partition("there", 0).leader()).isEqualTo(1);
        assertThat(broker.metadata.image().broker(1)).isPresent();
    }

    private UpdateFeaturesResponseData update(String feature, int level, int type) {
        UpdateFeaturesRequestData request = new UpdateFeaturesRequestData();
        request.featureUpdates()
                .add(new FeatureUpdateKey()
                        .setFeature(feature)
                        .setMaxVersionLevel((short) level)
                        .setUpgradeType((byte) type));
        return broker.send(ApiKeys.UPDATE_FEATURES, request, UpdateFeaturesResponseData.class);
    }

    private MetadataResponseData metadata(int version, MetadataRequestTopic... topics) {
        return broker.send(
                ApiKeys.METADATA,
                version,
                new MetadataRequestData().setTopics(List.of(topics)),
                MetadataResponseData.class);
    }

    private static DescribeQuorumRequestData quorumRequest() {
        return new DescribeQuorumRequestData()
                .setTopics(List.of(new DescribeQuorumRequestData.TopicData()
                        .setTopicName("__cluster_metadata")
                        .setPartitions(List.of(new DescribeQuorumRequestData.PartitionData().setPartitionIndex(0)))));
    }
}
