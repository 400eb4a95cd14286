package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kafka's own tools where transactions and groups of the new protocol are looked at and put right, against the real jar: {@code
 * kafka-transactions} with every subcommand, the decoders of {@code kafka-dump-log}, group configurations, and features up and down.
 */
class KafkaTransactionToolsTest {
    @TempDir
    static Path dir;

    static BarnabasProcess broker;
    static KafkaTools tools;
    static Admin admin;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(dir.resolve("data"), Map.of("group.initial.rebalance.delay.ms", "0"));
        tools = new KafkaTools(broker.bootstrap());
        admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
    }

    @AfterAll
    static void stop() throws IOException {
        if (admin != null) {
            admin.close(Duration.ZERO);
        }
        if (tools != null) {
            tools.close();
        }
        broker.close();
    }

    private static String transactions(String... args) {
        return tools.run("TransactionsCommand", args);
    }

    private static String configs(String... args) {
        String[] all = java.util.Arrays.copyOf(args, args.length + 2);
        all[args.length] = "--bootstrap-server";
        all[args.length + 1] = broker.bootstrap();
        return tools.runMain("kafka.admin.ConfigCommand", all);
    }

    private static String topic(String name) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get();
        return name;
    }

    /** A producer with an open transaction that has written one record. */
    private static KafkaProducer<String, String> writing(String topic, String id) throws Exception {
        KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrap(), "transactional.id", id),
                new StringSerializer(),
                new StringSerializer());
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "a")).get();
        return producer;
    }

    private static KafkaConsumer<String, String> member(String topic, String group, String protocol) {
        return new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        broker.bootstrap(),
                        "group.id",
                        group,
                        "group.protocol",
                        protocol,
                        "auto.offset.reset",
                        "earliest"),
                new StringDeserializer(),
                new StringDeserializer());
    }

    /** A cell of the table's row that matches. */
    private static String cell(String table, String row, int column) {
        return table.lines()
                .filter(line -> line.matches(row))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no row " + row + " in\n" + table))
                .strip()
                .split("\\s+")[column];
    }

    // ---- kafka-transactions

    @Test
    void transactions_are_listed_by_pattern_and_duration_and_described() throws Exception {
        String topic = topic("listed");
        try (var producer = writing(topic, "listed-x")) {
            assertThat(transactions("list")).containsPattern("listed-x\\s+\\d+\\s+\\d+\\s+Ongoing");
            assertThat(transactions("list", "--transactional-id-pattern", "listed-[xyz]"))
                    .contains("listed-x");
            assertThat(transactions("list", "--transactional-id-pattern", "other.*"))
                    .contains("TransactionalId")
                    .doesNotContain("listed-x");
            assertThat(transactions("list", "--duration-filter", "0")).contains("listed-x");
            assertThat(transactions("list", "--duration-filter", "3600000"))
                    .contains("TransactionalId")
                    .doesNotContain("listed-x");
            assertThat(transactions("describe", "--transactional-id", "listed-x"))
                    .containsPattern("listed-x\\s+\\d+\\s+\\d+\\s+Ongoing\\s+60000\\s+\\d{13}\\s+\\d+\\s+listed-0");
            assertThat(transactions("describe-producers", "--topic", topic, "--partition", "0"))
                    .containsPattern("\\d+\\s+\\d+\\s+-1\\s+0\\s+\\d{13}\\s+0");
            producer.commitTransaction();
        }
        Awaitility.await().untilAsserted(() -> assertThat(transactions("describe", "--transactional-id", "listed-x"))
                .containsPattern("listed-x\\s+\\d+\\s+\\d+\\s+CompleteCommit"));
        assertThat(transactions("describe-producers", "--topic", topic, "--partition", "0"))
                .containsPattern("\\d+\\s+\\d+\\s+0\\s+-?\\d+\\s+\\d{13}\\s+None");
        assertThat(tools.runFailing("TransactionsCommand", "describe", "--transactional-id", "nobody"))
                .contains("Failed to describe transaction state of transactional-id `nobody`");
    }

    @Test
    void a_transaction_is_terminated_by_force() throws Exception {
        try (var producer = writing(topic("forced"), "forced-x")) {
            assertThat(transactions("forceTerminateTransaction", "--transactionalId", "forced-x"))
                    .doesNotContain("Failed");
            Awaitility.await().untilAsserted(() -> assertThat(transactions("list"))
                    .containsPattern("forced-x\\s+\\d+\\s+\\d+\\s+(CompleteAbort|Empty)"));
            assertThat(org.assertj.core.api.Assertions.catchThrowable(producer::commitTransaction))
                    .isInstanceOf(org.apache.kafka.common.KafkaException.class);
        }
    }

    /** The coordinator has lost its state: whatever is open then hangs. */
    @Test
    void hanging_transactions_are_found_and_aborted_in_both_forms() throws Exception {
        String topic = topic("hanging");
        var first = writing(topic, "hanging-1");
        var second = writing(topic, "hanging-2");
        try {
            assertThat(transactions("find-hanging", "--topic", topic, "--max-transaction-timeout", "0"))
                    .contains("StartOffset")
                    .doesNotContainPattern("hanging\\s+0\\s");
            admin.deleteTopics(List.of(Topic.TRANSACTION_STATE_TOPIC_NAME))
                    .all()
                    .get();
            // somebody begins a transaction, so that there is a coordinator
            writing(topic("beside"), "beside").close(Duration.ZERO);

            String found = Awaitility.await()
                    .until(
                            () -> transactions("find-hanging", "--topic", topic, "--max-transaction-timeout", "0"),
                            table -> table.lines()
                                            .filter(line -> line.matches("hanging\\s+0\\s.*"))
                                            .count()
                                    == 2);
            assertThat(found).doesNotContain("beside");
            // by where it starts
            assertThat(transactions("abort", "--topic", topic, "--partition", "0", "--start-offset", "0"))
                    .doesNotContain("Failed", "Could not");
            // by who wrote it
            String row = "hanging\\s+0\\s+\\d+\\s+\\d+\\s+-?\\d+\\s+1\\s.*";
            assertThat(transactions(
                            "abort",
                            "--topic",
                            topic,
                            "--partition",
                            "0",
                            "--producer-id",
                            cell(found, row, 2),
                            "--producer-epoch",
                            cell(found, row, 3),
                            "--coordinator-epoch",
                            "0"))
                    .doesNotContain("Failed", "Could not");
            assertThat(transactions("find-hanging", "--broker-id", brokerId(), "--max-transaction-timeout", "0"))
                    .doesNotContainPattern("hanging\\s+0\\s");
            assertThat(transactions("describe-producers", "--topic", topic, "--partition", "0"))
                    .doesNotContainPattern("(?m)\\d{13}\\s+\\d+\\s*$");
            assertThat(tools.runFailing(
                            "TransactionsCommand",
                            "abort",
                            "--topic",
                            topic,
                            "--partition",
                            "0",
                            "--start-offset",
                            "0"))
                    .contains("Could not find any open transactions");
        } finally {
            first.close(Duration.ZERO);
            second.close(Duration.ZERO);
        }
    }

    private static String brokerId() throws Exception {
        return admin.describeCluster().nodes().get().iterator().next().idString();
    }

    // ---- kafka-dump-log

    private static String dump(String topicFolder, String option) throws Exception {
        List<Path> segments;
        try (var tree = Files.walk(dir.resolve("data"))) {
            segments = tree.filter(
                            file -> file.getParent().getFileName().toString().matches(topicFolder + "-\\d+")
                                    && file.toString().endsWith(".log")
                                    && file.toFile().length() > 0)
                    .toList();
        }
        assertThat(segments).isNotEmpty();
        return tools.runMain(
                KafkaTools.TOOLS + "DumpLogSegments",
                option,
                "--files",
                segments.stream().map(Path::toString).collect(java.util.stream.Collectors.joining(",")));
    }

    @Test
    void the_decoders_of_the_dump_tool_read_the_coordinators_logs() throws Exception {
        String topic = topic("decoded");
        try (var producer = writing(topic, "decoded-x");
                var consumer = member(topic, "decoded-g", "consumer")) {
            producer.commitTransaction();
            consumer.subscribe(List.of(topic));
            Awaitility.await()
                    .until(() -> !consumer.poll(Duration.ofMillis(100)).isEmpty());
            consumer.commitSync();
        }
        Awaitility.await().untilAsserted(() -> assertThat(
                        dump(Topic.TRANSACTION_STATE_TOPIC_NAME, "--transaction-log-decoder"))
                .contains("decoded-x", "decoded")
                .containsPattern("\"transactionalId\":\"decoded-x\".*\"transactionStatus\":(4|\"CompleteCommit)")
                .doesNotContain("Exception"));
        assertThat(dump(Topic.GROUP_METADATA_TOPIC_NAME, "--offsets-decoder"))
                .contains("decoded-g")
                .containsPattern("\"group\":\"decoded-g\",\"topic\":\"decoded\",\"partition\":0")
                .doesNotContain("Exception");
    }

    // ---- kafka-configs

    @Test
    void settings_of_a_group_are_altered_described_and_deleted() {
        String key = "consumer.session.timeout.ms";
        String[] group = {"--entity-type", "groups", "--entity-name", "configured-g"};
        assertThat(configs(with(group, "--alter", "--add-config", key + "=50000")))
                .contains("Completed updating config for group configured-g");
        assertThat(configs(with(group, "--describe"))).contains(key + "=50000");
        assertThat(configs("--describe", "--entity-type", "groups")).contains("configured-g", key + "=50000");
        assertThat(configs(with(group, "--alter", "--delete-config", key)))
                .contains("Completed updating config for group configured-g");
        assertThat(configs(with(group, "--describe"))).doesNotContain(key + "=50000");
        assertThat(configs(with(group, "--alter", "--add-config", key + "=1")))
                .contains(key)
                .doesNotContain("Completed updating");
    }

    private static String[] with(String[] args, String... more) {
        String[] all = java.util.Arrays.copyOf(more, args.length + more.length);
        System.arraycopy(args, 0, all, more.length, args.length);
        return all;
    }

    // ---- kafka-features

    private static String level(String feature) {
        Matcher matcher = Pattern.compile("Feature: " + feature + "\\s.*FinalizedVersionLevel: (\\d+)")
                .matcher(tools.run("FeatureCommand", "describe"));
        assertThat(matcher.find()).as("%s is described", feature).isTrue();
        return matcher.group(1);
    }

    @Test
    void the_version_of_transactions_goes_down_and_up() throws Exception {
        assertThat(level("transaction.version")).isEqualTo("2");
        assertThat(tools.run("FeatureCommand", "downgrade", "--feature", "transaction.version=0"))
                .contains("transaction.version was downgraded to 0.");
        assertThat(level("transaction.version")).isEqualTo("0");
        try (var producer = writing(topic("downgraded"), "downgraded-x")) {
            producer.commitTransaction();
            assertThat(tools.run("FeatureCommand", "upgrade", "--feature", "transaction.version=2"))
                    .contains("transaction.version was upgraded to 2.");
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("downgraded", "b")).get();
            producer.commitTransaction();
        }
        assertThat(level("transaction.version")).isEqualTo("2");
        assertThat(tools.runFailing("FeatureCommand", "upgrade", "--feature", "transaction.version=9"))
                .contains("Could not upgrade transaction.version to 9");
    }

    /** As with Kafka: the groups stay, but their protocol is not served until the feature is back. */
    @Test
    void the_version_of_groups_goes_down_while_there_are_consumer_groups_and_up_again() throws Exception {
        String topic = topic("versioned");
        try (var producer = writing(topic, "versioned-x")) {
            producer.commitTransaction();
        }
        try (var consumer = member(topic, "versioned-g", "consumer")) {
            consumer.subscribe(List.of(topic));
            Awaitility.await()
                    .until(() -> !consumer.poll(Duration.ofMillis(100)).isEmpty());
            consumer.commitSync();
        }
        assertThat(tools.run("FeatureCommand", "downgrade", "--feature", "group.version=0"))
                .contains("group.version was downgraded to 0.");
        try (var refused = member(topic, "versioned-g", "consumer")) {
            refused.subscribe(List.of(topic));
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> {
                        for (int i = 0; i < 100; i++) {
                            refused.poll(Duration.ofMillis(100));
                        }
                    }))
                    .isInstanceOf(org.apache.kafka.common.errors.UnsupportedVersionException.class);
        } finally {
            assertThat(tools.run("FeatureCommand", "upgrade", "--feature", "group.version=1"))
                    .contains("group.version was upgraded to 1.");
        }
        assertThat(tools.run("GroupsCommand", "--list")).containsPattern("versioned-g\\s+Consumer");
        try (var again = member(topic, "versioned-g", "consumer")) {
            again.subscribe(List.of(topic));
            Awaitility.await().until(() -> {
                again.poll(Duration.ofMillis(100));
                return !again.assignment().isEmpty();
            });
            assertThat(again.committed(again.assignment())
                            .values()
                            .iterator()
                            .next()
                            .offset())
                    .isPositive();
        }
    }
}
