package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeFeaturesOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidUpdateVersionException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Kafka's own admin client against a whole broker, an operation a test. */
class AdminClientTest {
    private static EmbeddedBroker broker;
    private static Admin admin;

    @BeforeAll
    static void start() {
        broker = EmbeddedBroker.start();
        admin = broker.admin();
    }

    @AfterAll
    static void stop() {
        admin.close();
        broker.close();
    }

    @Test
    void topics_are_made_listed_described_and_deleted() {
        get(admin.createTopics(List.of(new NewTopic("orders", 3, (short) 1).configs(Map.of("retention.ms", "1000"))))
                .all());
        failsWith(
                TopicExistsException.class,
                admin.createTopics(List.of(new NewTopic("orders", 3, (short) 1)))
                        .all());

        assertThat(get(admin.listTopics().names())).contains("orders");
        TopicDescription topic = describe("orders");
        assertThat(topic.partitions())
                .hasSize(3)
                .allSatisfy(p -> assertThat(p.leader().id()).isEqualTo(1));
        assertThat(topic.authorizedOperations()).hasSize(8);
        assertThat(get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(topic.topicId())))
                                .allTopicIds())
                        .values())
                .extracting(TopicDescription::name)
                .containsExactly("orders");

        get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(topic.topicId())))
                .all());
        assertThat(get(admin.listTopics().names())).doesNotContain("orders");
        failsWith(
                UnknownTopicOrPartitionException.class,
                admin.deleteTopics(List.of("orders")).all());
    }

    @Test
    void making_a_topic_tells_what_it_has_and_validating_makes_none() {
        var made = admin.createTopics(List.of(new NewTopic("told", Optional.empty(), Optional.empty())));
        assertThat(get(made.numPartitions("told"))).isEqualTo(1);
        assertThat(get(made.config("told")).get("retention.ms").value()).isEqualTo("604800000");

        get(admin.createTopics(
                        List.of(new NewTopic("checked", 1, (short) 1)), new CreateTopicsOptions().validateOnly(true))
                .all());
        assertThat(get(admin.listTopics().names())).doesNotContain("checked");
        failsWith(
                InvalidReplicationFactorException.class,
                admin.createTopics(List.of(new NewTopic("wide", 1, (short) 2))).all());
    }

    @Test
    void partitions_are_added() {
        get(admin.createTopics(List.of(new NewTopic("growing", 1, (short) 1))).all());

        get(admin.createPartitions(Map.of("growing", NewPartitions.increaseTo(4)))
                .all());
        assertThat(describe("growing").partitions()).hasSize(4);
        failsWith(
                InvalidPartitionsException.class,
                admin.createPartitions(Map.of("growing", NewPartitions.increaseTo(2)))
                        .all());
    }

    @Test
    void configurations_are_changed_and_survive_a_restart_of_the_broker() {
        try (EmbeddedBroker own = EmbeddedBroker.start();
                Admin client = own.admin()) {
            get(client.createTopics(List.of(new NewTopic("kept", 1, (short) 1))).all());
            ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "kept");
            ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
            get(client.incrementalAlterConfigs(
                            Map.of(topic, set("segment.ms", "5000"), all, set("message.max.bytes", "4321")))
                    .all());

            own.restart();

            assertThat(get(client.describeConfigs(List.of(topic)).all())
                            .get(topic)
                            .get("segment.ms")
                            .value())
                    .isEqualTo("5000");
            assertThat(own.node().config().current().getInt("message.max.bytes"))
                    .isEqualTo(4321);
        }
    }

    @Test
    void a_brokers_configuration_is_described_with_sources_synonyms_and_documentation() {
        ConfigResource node = new ConfigResource(ConfigResource.Type.BROKER, "1");

        Config config = get(admin.describeConfigs(
                                List.of(node),
                                new DescribeConfigsOptions()
                                        .includeSynonyms(true)
                                        .includeDocumentation(true))
                        .all())
                .get(node);

        assertThat(config.entries()).hasSizeGreaterThan(340);
        assertThat(config.get("num.network.threads")).satisfies(e -> {
            assertThat(e.source()).isEqualTo(ConfigEntry.ConfigSource.STATIC_BROKER_CONFIG);
            assertThat(e.type()).isEqualTo(ConfigEntry.ConfigType.INT);
            assertThat(e.documentation()).isNotBlank();
            assertThat(e.synonyms()).hasSize(2);
        });
        failsWith(
                InvalidRequestException.class,
                admin.incrementalAlterConfigs(
                                Map.of(node, set("num.partitions", "3")), new AlterConfigsOptions().validateOnly(true))
                        .all());
    }

    @Test
    void a_topics_setting_reaches_its_log() {
        get(admin.createTopics(List.of(new NewTopic("bounded", 1, (short) 1))).all());
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "bounded");

        get(admin.incrementalAlterConfigs(Map.of(topic, set("max.message.bytes", "777")))
                .all());

        var log = broker.node().logs().log(new TopicPartition("bounded", 0)).orElseThrow();
        await().untilAsserted(() -> assertThat(log.config().maxMessageBytes()).isEqualTo(777));
    }

    @Test
    void the_cluster_its_features_and_its_quorum_are_described() {
        var cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        assertThat(get(cluster.nodes())).singleElement().satisfies(n -> assertThat(n.port())
                .isEqualTo(broker.port()));
        assertThat(get(cluster.controller()).id()).isEqualTo(1);
        assertThat(get(cluster.authorizedOperations())).hasSize(7);

        var features = get(admin.describeFeatures(new DescribeFeaturesOptions()).featureMetadata());
        assertThat(features.finalizedFeatures()).containsKey("metadata.version");
        assertThat(features.supportedFeatures().get("kraft.version").maxVersion())
                .isEqualTo((short) 1);
        assertThat(features.finalizedFeatures().get("kraft.version").maxVersionLevel())
                .isEqualTo((short) 1);
        QuorumInfo quorum = get(admin.describeMetadataQuorum().quorumInfo());
        assertThat(quorum.leaderId()).isEqualTo(1);
        assertThat(quorum.leaderEpoch()).isPositive();
        assertThat(quorum.highWatermark()).isPositive();
        assertThat(quorum.voters().get(0).logEndOffset()).isGreaterThanOrEqualTo(quorum.highWatermark());
        assertThat(quorum.voters().get(0).lastCaughtUpTimestamp()).isPresent();
        assertThat(quorum.voters()).hasSize(1);
        failsWith(
                InvalidUpdateVersionException.class,
                admin.updateFeatures(
                                Map.of(
                                        "share.version",
                                        new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)),
                                new UpdateFeaturesOptions().validateOnly(true))
                        .all());
    }

    @Test
    void leaders_need_no_election_and_moves_to_where_a_partition_is_are_done_at_once() {
        get(admin.createTopics(List.of(new NewTopic("still", 1, (short) 1))).all());
        TopicPartition partition = new TopicPartition("still", 0);

        failsWith(
                ElectionNotNeededException.class,
                admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).all());
        get(admin.alterPartitionReassignments(Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(1)))))
                .all());
        assertThat(get(admin.listPartitionReassignments().reassignments())).isEmpty();
    }

    @Test
    void config_resources_are_listed() {
        get(admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "m"), set("interval.ms", "30000")))
                .all());

        assertThat(get(admin.listConfigResources().all()))
                .contains(
                        new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "m"),
                        new ConfigResource(ConfigResource.Type.BROKER, "1"));
    }

    private static TopicDescription describe(String topic) {
        return get(admin.describeTopics(List.of(topic), new DescribeTopicsOptions().includeAuthorizedOperations(true))
                        .allTopicNames())
                .get(topic);
    }

    private static Collection<AlterConfigOp> set(String key, String value) {
        return List.of(new AlterConfigOp(new ConfigEntry(key, value), OpType.SET));
    }

    private static void failsWith(Class<? extends Exception> error, KafkaFuture<?> future) {
        assertThatThrownBy(future::get).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(error);
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(20, java.util.concurrent.TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
