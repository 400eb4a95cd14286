package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.KafkaTools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's own tools for clusters against three real nodes: each does its whole job and prints what it prints with Kafka. */
class ClusterToolsTest {
    private static final String REASSIGN = "reassign.ReassignPartitionsCommand";
    private static final int RECORDS = 200;
    private static final Duration MOVE = Duration.ofSeconds(60);

    @TempDir
    static Path dir;

    static Cluster cluster;
    static KafkaTools tools;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(Product.underTest(), Network.loopback(), Set.of(), dir, 3);
        tools = new KafkaTools(cluster.bootstrap());
    }

    @AfterAll
    static void stop() throws IOException {
        if (tools != null) {
            tools.close();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    // ---- the cluster

    @Test
    void the_cluster_tool_lists_all_brokers_where_clients_reach_them() {
        String endpoints = clusterTool("list-endpoints");

        for (Node node : cluster.nodes()) {
            Place.Ports ports = node.place().ports();
            assertThat(endpoints)
                    .containsPattern("(?m)^" + node.id() + " +127\\.0\\.0\\.1 +" + ports.clients() + " ")
                    .doesNotContain("" + ports.brokers(), "" + ports.quorum());
        }
        assertThat(clusterTool("cluster-id")).containsPattern("Cluster ID: [A-Za-z0-9_-]{22}");
    }

    @Test
    void the_quorum_tool_tells_the_leader_and_all_voters() {
        int controller = cluster.controller().id();

        String status = tools.run("MetadataQuorumCommand", "describe", "--status");
        assertThat(status)
                .containsPattern("LeaderId: +" + controller)
                .containsPattern("HighWatermark: +\\d+")
                .containsPattern("CurrentVoters: .*1.*2.*3");
        String replication = tools.run("MetadataQuorumCommand", "describe", "--replication");
        assertThat(replication).containsPattern("(?m)^" + controller + "\\s.*Leader");
        assertThat(replication.lines().filter(line -> line.contains("Follower")))
                .hasSize(2);
    }

    @Test
    void features_are_the_same_whoever_is_asked() {
        List<String> answers = cluster.nodes().stream()
                .map(node -> tools.runMain(
                        KafkaTools.TOOLS + "FeatureCommand",
                        "--bootstrap-server",
                        node.place().bootstrap(),
                        "describe"))
                .map(answer -> answer.replaceAll("Epoch: \\d+", ""))
                .toList();

        assertThat(answers.get(0)).containsPattern("metadata\\.version.*FinalizedVersionLevel");
        assertThat(answers).containsOnly(answers.get(0));
    }

    @Test
    void a_topic_is_made_through_any_node_and_has_its_replicas_on_all() {
        for (Node node : cluster.nodes()) {
            String topic = "through-" + node.id();
            String made = tools.runMain(
                    KafkaTools.TOOLS + "TopicCommand",
                    "--bootstrap-server",
                    node.place().bootstrap(),
                    "--create",
                    "--topic",
                    topic,
                    "--partitions",
                    "3",
                    "--replication-factor",
                    "3");
            assertThat(made).contains("Created topic " + topic);
            cluster.awaitInSync(topic);
            assertThat(topics("--describe", "--topic", topic).lines())
                    .filteredOn(line -> line.contains("Isr: "))
                    .hasSize(3)
                    .allMatch(line -> line.matches(".*Isr: \\d,\\d,\\d.*"));
        }
        assertThat(tools.runFailing("TopicCommand", "--create", "--topic", "four", "--replication-factor", "4"))
                .contains("eplication factor");
    }

    @Test
    void the_log_directories_of_all_brokers_are_described() {
        topic("directories", "1:2:3");
        cluster.awaitInSync("directories");
        fill("directories");

        String described = tools.run("LogDirsCommand", "--describe", "--topic-list", "directories");
        assertThat(described).contains("\"broker\":1", "\"broker\":2", "\"broker\":3");
        assertThat(described.split("directories-0", -1)).hasSize(4);
    }

    // ---- replicas

    @Test
    void a_partition_moves_with_its_records_to_other_brokers() throws Exception {
        topic("moved", "1");
        fill("moved");
        Path plan = plan("moved", "[2,3]");

        assertThat(tools.run(REASSIGN, "--execute", "--reassignment-json-file", plan.toString()))
                .contains("Successfully started partition reassignment");

        awaitMoved(plan, "moved-0");
        assertThat(tools.run(REASSIGN, "--list")).doesNotContain("moved-0");
        assertThat(topics("--describe", "--topic", "moved"))
                .containsPattern("Leader: [23]")
                .containsPattern("Replicas: 2,3")
                .containsPattern("Isr: (2,3|3,2)");
        assertThat(count("moved")).isEqualTo(RECORDS);
    }

    @Test
    void replicas_are_added_and_taken_away() throws Exception {
        topic("grown", "2");
        fill("grown");

        for (String replicas : List.of("[2,3,1]", "[1]")) {
            Path plan = plan("grown", replicas);
            tools.run(REASSIGN, "--execute", "--reassignment-json-file", plan.toString());
            awaitMoved(plan, "grown-0");
            assertThat(count("grown")).isEqualTo(RECORDS);
        }
        assertThat(topics("--describe", "--topic", "grown")).containsPattern("Leader: 1.*Replicas: 1.*Isr: 1");
    }

    @Test
    void a_move_under_way_is_listed_and_can_be_cancelled() throws Exception {
        topic("cancelled", "1");
        fill("cancelled");
        Path plan = plan("cancelled", "[2]");

        assertThat(tools.run(REASSIGN, "--execute", "--throttle", "1", "--reassignment-json-file", plan.toString()))
                .contains("The inter-broker throttle limit was set to 1 B/s");
        assertThat(tools.run(REASSIGN, "--list")).contains("cancelled-0: replicas:", "adding: 2");
        assertThat(tools.run(REASSIGN, "--cancel", "--reassignment-json-file", plan.toString()))
                .contains("Successfully cancelled");

        assertThat(tools.run(REASSIGN, "--list")).doesNotContain("cancelled-0");
        assertThat(topics("--describe", "--topic", "cancelled")).containsPattern("Leader: 1.*Replicas: 1.*Isr: 1");
        assertThat(count("cancelled")).isEqualTo(RECORDS);
    }

    @Test
    void the_throttle_of_a_move_is_set_and_taken_back_when_it_is_verified() throws Exception {
        topic("gentle", "1");
        fill("gentle");
        Path plan = plan("gentle", "[2,3]");

        tools.run(REASSIGN, "--execute", "--throttle", "50000000", "--reassignment-json-file", plan.toString());
        assertThat(config("brokers", "1")).contains("leader.replication.throttled.rate=50000000");
        assertThat(config("topics", "gentle"))
                .contains("leader.replication.throttled.replicas=0:1", "follower.replication.throttled.replicas=0:");

        awaitMoved(plan, "gentle-0");
        assertThat(config("brokers", "1")).doesNotContain("throttled.rate=5");
        assertThat(config("topics", "gentle")).doesNotContain("throttled.replicas=0:");
        assertThat(count("gentle")).isEqualTo(RECORDS);
    }

    private static String config(String kind, String name) {
        return tools.runMain(
                "kafka.admin.ConfigCommand",
                "--bootstrap-server",
                cluster.bootstrap(),
                "--describe",
                "--entity-type",
                kind,
                "--entity-name",
                name);
    }

    @Test
    void deleted_records_are_gone_whoever_leads() throws Exception {
        topic("deleted", "1:2:3");
        cluster.awaitInSync("deleted");
        fill("deleted");
        Path offsets = Files.writeString(
                dir.resolve("deleted.json"),
                "{\"partitions\":[{\"topic\":\"deleted\",\"partition\":0,\"offset\":5}],\"version\":1}");

        assertThat(tools.run("DeleteRecordsCommand", "--offset-json-file", offsets.toString()))
                .containsPattern("deleted-0\\s+low_watermark: 5");

        tools.run(
                REASSIGN,
                "--execute",
                "--reassignment-json-file",
                plan("deleted", "[2,1,3]").toString());
        elect("deleted");
        cluster.awaitLeader("deleted", leader -> leader.id() == 2);
        assertThat(tools.run("GetOffsetShell", "--topic-partitions", "deleted:0", "--time", "earliest"))
                .contains("deleted:0:5");
    }

    @Test
    void the_preferred_leader_gets_its_leadership_back() throws Exception {
        topic("preferred", "2:1:3");
        cluster.awaitInSync("preferred");
        tools.run(
                REASSIGN,
                "--execute",
                "--reassignment-json-file",
                plan("preferred", "[1,2,3]").toString());
        assertThat(topics("--describe", "--topic", "preferred")).contains("Leader: 2");

        assertThat(elect("preferred")).contains("Successfully completed leader election (PREFERRED)", "preferred-0");

        cluster.awaitLeader("preferred", leader -> leader.id() == 1);
        assertThat(elect("preferred")).contains("Valid replica already elected");
    }

    private static String elect(String topic) {
        return tools.run("LeaderElectionCommand", "--election-type", "preferred", "--topic", topic, "--partition", "0");
    }

    // ---- shorthand

    private static void topic(String name, String replicas) {
        assertThat(topics("--create", "--topic", name, "--replica-assignment", replicas))
                .contains("Created topic " + name);
    }

    private static String topics(String... args) {
        return tools.run("TopicCommand", args);
    }

    private static String clusterTool(String verb) {
        return tools.runMain(KafkaTools.TOOLS + "ClusterTool", verb, "--bootstrap-server", cluster.bootstrap());
    }

    private static Path plan(String topic, String replicas) throws IOException {
        return Files.writeString(
                dir.resolve("plan-" + topic + ".json"),
                "{\"version\":1,\"partitions\":[{\"topic\":\"" + topic + "\",\"partition\":0,\"replicas\":" + replicas
                        + "}]}");
    }

    private static void awaitMoved(Path plan, String partition) {
        cluster.await(partition + " has moved", MOVE, () -> tools.run(
                        REASSIGN, "--verify", "--reassignment-json-file", plan.toString())
                .contains("Reassignment of partition " + partition + " is completed."));
    }

    private static void fill(String topic) {
        String lines = IntStream.range(0, RECORDS).mapToObj(i -> "v" + i).collect(Collectors.joining("\n", "", "\n"));
        assertThat(tools.runWithInput(lines, "ConsoleProducer", "--topic", topic))
                .doesNotContain("ERROR", "Exception");
    }

    private static long count(String topic) {
        return tools.run(
                        "consumer.ConsoleConsumer",
                        "--topic",
                        topic,
                        "--partition",
                        "0",
                        "--offset",
                        "earliest",
                        "--max-messages",
                        "" + RECORDS,
                        "--timeout-ms",
                        "30000")
                .lines()
                .filter(line -> line.matches("v\\d+"))
                .count();
    }
}
