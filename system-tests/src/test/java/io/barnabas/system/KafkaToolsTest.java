package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's own command-line tools against the real jar: each prints what it prints with Kafka. */
class KafkaToolsTest {
    private static final int RECORDS = 100;

    @TempDir
    static Path dir;

    static BarnabasProcess broker;
    static KafkaTools tools;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(dir.resolve("data"), Map.of("group.initial.rebalance.delay.ms", "0"));
        tools = new KafkaTools(broker.bootstrap());
    }

    @AfterAll
    static void stop() throws IOException {
        if (tools != null) {
            tools.close();
        }
        broker.close();
    }

    private static void topic(String name, int partitions) {
        assertThat(topics("--create", "--topic", name, "--partitions", "" + partitions, "--replication-factor", "1"))
                .contains("Created topic " + name);
    }

    private static String topics(String... args) {
        return tools.run("TopicCommand", args);
    }

    private static String groups(String... args) {
        return tools.run("consumer.group.ConsumerGroupCommand", args);
    }

    private static String configs(String... args) {
        String[] all = java.util.Arrays.copyOf(args, args.length + 2);
        all[args.length] = "--bootstrap-server";
        all[args.length + 1] = broker.bootstrap();
        return tools.runMain("kafka.admin.ConfigCommand", all);
    }

    private static void produce(String topic) {
        String lines = IntStream.rangeClosed(1, RECORDS)
                .mapToObj(i -> "k" + i + ":v" + i)
                .collect(Collectors.joining("\n", "", "\n"));
        assertThat(tools.runWithInput(
                        lines,
                        "ConsoleProducer",
                        "--topic",
                        topic,
                        "--reader-property",
                        "parse.key=true",
                        "--reader-property",
                        "key.separator=:",
                        "--compression-codec",
                        "lz4"))
                .doesNotContain("ERROR", "Exception");
    }

    private static String consume(String topic, String group) {
        return tools.run(
                "consumer.ConsoleConsumer",
                "--topic",
                topic,
                "--group",
                group,
                "--from-beginning",
                "--max-messages",
                "" + RECORDS,
                "--timeout-ms",
                "30000",
                "--formatter-property",
                "print.key=true");
    }

    /** A topic of three partitions with {@link #RECORDS} records. */
    private static String filled(String name) {
        topic(name, 3);
        produce(name);
        return name;
    }

    private static String json(String name, String content) throws IOException {
        return Files.writeString(dir.resolve(name), content).toString();
    }

    /** This tool wants the broker after its verb, where the others want it before. */
    private static String cluster(String verb) {
        return tools.runMain(KafkaTools.TOOLS + "ClusterTool", verb, "--bootstrap-server", broker.bootstrap());
    }

    private static int brokerId() {
        return Integer.parseInt(cluster("list-endpoints")
                .lines()
                .filter(line -> line.matches("\\d+ .*"))
                .findFirst()
                .orElseThrow()
                .split("\\s+")[0]);
    }

    // ---- the cluster

    @Test
    void broker_api_versions_lists_what_is_served() {
        assertThat(tools.run("BrokerApiVersionsCommand"))
                .contains("ApiVersions(18): 0 to 5", "Produce(0): 0 to 1")
                .contains("Fetch(1): 4 to ");
    }

    @Test
    void the_cluster_tool_tells_the_id_and_the_endpoint() {
        assertThat(cluster("cluster-id")).containsPattern("Cluster ID: [A-Za-z0-9_-]{22}");
        assertThat(cluster("list-endpoints")).containsPattern("\\d+ +127\\.0\\.0\\.1 +" + broker.kafkaPort());
    }

    @Test
    void features_are_described_mapped_and_upgraded_in_a_rehearsal() {
        assertThat(tools.run("FeatureCommand", "describe"))
                .containsPattern("metadata\\.version.*FinalizedVersionLevel");
        assertThat(tools.run("FeatureCommand", "version-mapping")).contains("metadata.version=");
        assertThat(tools.run("FeatureCommand", "upgrade", "--feature", "group.version=1", "--dry-run"))
                .containsPattern("(?i)group\\.version|can be|could not");
    }

    @Test
    void the_metadata_quorum_has_its_leader() {
        assertThat(tools.run("MetadataQuorumCommand", "describe", "--status"))
                .containsPattern("LeaderId: +" + brokerId())
                .containsPattern("HighWatermark: +\\d+");
        assertThat(tools.run("MetadataQuorumCommand", "describe", "--replication"))
                .contains("Leader");
    }

    // ---- topics

    @Test
    void topics_are_made_described_and_altered_and_removed() {
        assertThat(topics(
                        "--create",
                        "--topic",
                        "made",
                        "--partitions",
                        "3",
                        "--replication-factor",
                        "1",
                        "--config",
                        "retention.ms=86400000"))
                .contains("Created topic made");
        assertThat(tools.runFailing("TopicCommand", "--create", "--topic", "made", "--partitions", "1"))
                .contains("already exists");
        assertThat(topics("--list").lines()).contains("made");
        assertThat(topics("--describe", "--topic", "made"))
                .containsPattern("PartitionCount: 3.*retention\\.ms=86400000");
        topics("--alter", "--topic", "made", "--partitions", "4");
        assertThat(topics("--describe", "--topic", "made")).contains("PartitionCount: 4");
        assertThat(topics("--describe", "--topics-with-overrides")).contains("made");
        assertThat(topics("--describe", "--under-replicated-partitions")).doesNotContain("made");
        topics("--delete", "--topic", "made");
        assertThat(topics("--list").lines()).doesNotContain("made");
    }

    @Test
    void settings_of_topics_and_brokers_are_altered_and_described() {
        topic("configured", 1);
        assertThat(configs(
                        "--alter",
                        "--entity-type",
                        "topics",
                        "--entity-name",
                        "configured",
                        "--add-config",
                        "max.message.bytes=2000000,segment.ms=600000"))
                .contains("Completed updating config for topic");
        assertThat(configs("--describe", "--entity-type", "topics", "--entity-name", "configured"))
                .contains("max.message.bytes=2000000", "segment.ms=600000");
        configs("--alter", "--entity-type", "topics", "--entity-name", "configured", "--delete-config", "segment.ms");
        assertThat(configs("--describe", "--entity-type", "topics", "--entity-name", "configured"))
                .doesNotContain("segment.ms=600000");
        configs("--alter", "--entity-type", "brokers", "--entity-default", "--add-config", "log.cleaner.threads=2");
        assertThat(configs("--describe", "--entity-type", "brokers", "--entity-default"))
                .contains("log.cleaner.threads=2");
        configs("--alter", "--entity-type", "brokers", "--entity-default", "--delete-config", "log.cleaner.threads");
        assertThat(configs("--describe", "--all", "--entity-type", "brokers", "--entity-name", "" + brokerId()))
                .contains("log.retention.hours=168");
    }

    // ---- records

    @Test
    void what_the_console_producer_writes_the_console_consumer_reads() {
        assertThat(consume(filled("console"), "console-group"))
                .contains("Processed a total of " + RECORDS + " messages", "k1\tv1", "k100\tv100");
    }

    @Test
    void offsets_are_told_and_records_deleted_up_to_one() throws IOException {
        topic("offsets", 1);
        produce("offsets");
        assertThat(tools.run("GetOffsetShell", "--topic", "offsets", "--time", "latest"))
                .contains("offsets:0:" + RECORDS);
        assertThat(tools.run("GetOffsetShell", "--topic-partitions", "offsets:0", "--time", "earliest"))
                .contains("offsets:0:0");
        assertThat(tools.run("GetOffsetShell", "--topic", "offsets", "--time", "max-timestamp"))
                .containsPattern("offsets:0:\\d+");
        assertThat(tools.run("GetOffsetShell", "--topic", "offsets", "--time", "0"))
                .contains("offsets:0:0");
        String upTo = json(
                "delete.json", "{\"partitions\":[{\"topic\":\"offsets\",\"partition\":0,\"offset\":5}],\"version\":1}");
        assertThat(tools.run("DeleteRecordsCommand", "--offset-json-file", upTo))
                .containsPattern("offsets-0\\s+low_watermark: 5");
        assertThat(tools.run("GetOffsetShell", "--topic-partitions", "offsets:0", "--time", "earliest"))
                .contains("offsets:0:5");
    }

    @Test
    void the_performance_tools_count_what_went_through() {
        topic("performance", 1);
        assertThat(tools.runMain(
                        KafkaTools.TOOLS + "ProducerPerformance",
                        "--topic",
                        "performance",
                        "--num-records",
                        "1000",
                        "--record-size",
                        "100",
                        "--throughput",
                        "-1",
                        "--producer-props",
                        "bootstrap.servers=" + broker.bootstrap(),
                        "acks=all"))
                .contains("1000 records sent");
        assertThat(tools.run(
                        "ConsumerPerformance", "--topic", "performance", "--num-records", "1000", "--timeout", "30000"))
                .containsPattern(", 1000, ");
    }

    @Test
    void the_verifiable_clients_verify() throws Exception {
        topic("verified", 1);
        assertThat(tools.runAlone("VerifiableProducer", "--topic", "verified", "--max-messages", "50", "--acks", "-1"))
                .contains("\"acked\":50");
        assertThat(tools.runAlone(
                        "VerifiableConsumer",
                        "--topic",
                        "verified",
                        "--group-id",
                        "verified-group",
                        "--reset-policy",
                        "earliest",
                        "--max-messages",
                        "50"))
                .contains("\"name\":\"offsets_committed\"");
    }

    @Test
    void the_log_tools_read_the_directory_of_the_running_broker() throws Exception {
        topic("logged", 1);
        produce("logged");
        String dirs = tools.run("LogDirsCommand", "--describe", "--topic-list", "logged");
        assertThat(dirs).containsPattern("\"partition\":\"logged-0\",\"size\":[1-9]\\d*");
        try (var tree = Files.walk(dir.resolve("data"))) {
            Path segment = tree.filter(file -> file.toString().endsWith("logged-0/00000000000000000000.log"))
                    .findFirst()
                    .orElseThrow();
            assertThat(tools.runMain(
                            KafkaTools.TOOLS + "DumpLogSegments",
                            "--deep-iteration",
                            "--print-data-log",
                            "--files",
                            segment.toString()))
                    .contains("compresscodec: lz4", "isvalid: true", "key: k100 payload: v100");
        }
    }

    // ---- groups

    @Test
    void groups_are_listed_described_reset_and_deleted() {
        consume(filled("grouped"), "tool-group");
        assertThat(groups("--list").lines()).contains("tool-group");
        assertThat(groups("--list", "--state", "--type")).containsPattern("tool-group +Classic +Empty");
        assertThat(groups("--describe", "--group", "tool-group"))
                .containsPattern("tool-group +grouped +[0-2] +\\d+ +\\d+ +0 ");
        assertThat(groups("--describe", "--group", "tool-group", "--state")).containsPattern("tool-group.*Empty");
        assertThat(groups(
                        "--reset-offsets", "--group", "tool-group", "--topic", "grouped", "--to-earliest", "--execute"))
                .containsPattern("tool-group +grouped +[0-2] +0");
        assertThat(groups("--delete-offsets", "--group", "tool-group", "--topic", "grouped:0"))
                .containsPattern("grouped +0 +Successful");
        assertThat(tools.run("GroupsCommand", "--list")).containsPattern("tool-group +Classic");
        assertThat(groups("--delete", "--group", "tool-group")).contains("was successful");
        assertThat(groups("--list").lines()).doesNotContain("tool-group");
    }

    // ---- replicas

    @Test
    void partitions_are_reassigned_to_where_they_are() throws IOException {
        topic("reassigned", 1);
        String topics = json("move.json", "{\"topics\":[{\"topic\":\"reassigned\"}],\"version\":1}");
        String plan = json(
                "plan.json",
                "{\"version\":1,\"partitions\":[{\"topic\":\"reassigned\",\"partition\":0,\"replicas\":[" + brokerId()
                        + "]}]}");
        String reassign = "reassign.ReassignPartitionsCommand";
        assertThat(tools.run(
                        reassign, "--generate", "--topics-to-move-json-file", topics, "--broker-list", "" + brokerId()))
                .contains("Proposed partition reassignment configuration");
        assertThat(tools.run(reassign, "--execute", "--reassignment-json-file", plan))
                .contains("Successfully started partition reassignment");
        assertThat(tools.run(reassign, "--verify", "--reassignment-json-file", plan))
                .contains("Reassignment of partition reassigned-0 is completed");
        assertThat(tools.run(reassign, "--list")).contains("No partition reassignments found");
    }

    @Test
    void a_preferred_leader_is_elected_already() {
        topic("elected", 1);
        assertThat(tools.run(
                        "LeaderElectionCommand",
                        "--election-type",
                        "preferred",
                        "--topic",
                        "elected",
                        "--partition",
                        "0"))
                .contains("Valid replica already elected");
    }
}
