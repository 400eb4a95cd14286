package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryMoveTest {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"os", "fsync"})
    void aPartitionMovesToAnotherDirectoryWhileItIsWrittenTo(String durability) throws Exception {
        Path one = Files.createDirectories(directory.resolve("one"));
        Path two = Files.createDirectories(directory.resolve("two"));
        try (EmbeddedBroker broker =
                        EmbeddedBroker.start(Map.of("log.dirs", one + "," + two, "barnabas.durability", durability));
                Admin admin = broker.admin();
                var producer = new KafkaProducer<>(
                        broker.clientConfig(), new ByteArraySerializer(), new ByteArraySerializer());
                var consumer = new KafkaConsumer<>(
                        broker.clientConfig(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            // Given
            admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get();
            List<Future<RecordMetadata>> sent = send(producer, 2_000);
            Path from = directoryOf(broker);
            Path to = from.equals(one) ? two : one;
            // When
            admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("t", 0, 1), to.toString()))
                    .all()
                    .get();
            sent.addAll(send(producer, 2_000));
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> directoryOf(broker)
                    .equals(to));
            sent.addAll(send(producer, 500));
            // Then
            for (int i = 0; i < sent.size(); i++) {
                assertThat(sent.get(i).get().offset()).isEqualTo(i);
            }
            consumer.assign(List.of(PARTITION));
            consumer.seekToBeginning(List.of(PARTITION));
            int read = 0;
            for (int i = 0; i < 100 && read < sent.size(); i++) {
                read += consumer.poll(Duration.ofMillis(200)).count();
            }
            assertThat(read).isEqualTo(sent.size());
        }
    }

    /** Stopped in order, and as if it had not been: then every file is read again. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aMoveThatIsInterruptedGoesOnByItself(boolean orderly) throws Exception {
        Path one = Files.createDirectories(directory.resolve("one"));
        Path two = Files.createDirectories(directory.resolve("two"));
        try (EmbeddedBroker broker =
                EmbeddedBroker.start(Map.of("log.dirs", one + "," + two, "log.segment.bytes", "4194304"))) {
            Path from;
            Path to;
            try (Admin admin = broker.admin();
                    var producer = new KafkaProducer<>(
                            broker.clientConfig(), new ByteArraySerializer(), new ByteArraySerializer())) {
                // Given: a move that would last for half a minute
                admin.createTopics(List.of(new NewTopic("t", 1, (short) 1)))
                        .all()
                        .get();
                for (Future<RecordMetadata> each : send(producer, 300, 100_000)) {
                    each.get();
                }
                from = directoryOf(broker);
                to = from.equals(one) ? two : one;
                bound(admin, "1000000");
                admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("t", 0, 1), to.toString()))
                        .all()
                        .get();
                Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> copied(admin, to) > 3_000_000);
            }
            // When
            if (orderly) {
                broker.restart();
            } else {
                broker.stop();
                Files.delete(to.resolve(".kafka_cleanshutdown"));
                Files.delete(from.resolve(".kafka_cleanshutdown"));
                broker.startAgain();
            }
            // Then
            try (Admin admin = broker.admin();
                    var producer = new KafkaProducer<>(
                            broker.clientConfig(), new ByteArraySerializer(), new ByteArraySerializer())) {
                long copied = copied(admin, to);
                assertThat(copied).isBetween(3_000_000L, 20_000_000L);
                for (Future<RecordMetadata> each : send(producer, 10, 100_000)) {
                    each.get();
                }
                Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> copied(admin, to) > copied);
                assertThat(copied(admin, to)).isLessThan(25_000_000L); // bound as before
                bound(admin, "1000000000");
                Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> directoryOf(broker)
                        .equals(to));
                Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> isRecordedIn(broker, to));
                ReplicaInfo moved = replica(admin, to);
                assertThat(moved.isFuture()).isFalse();
                assertThat(from.resolve("t-0")).doesNotExist();
                Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !leftBehind(from));
            }
            assertThat(readAll(broker)).isEqualTo(310);
        }
    }

    private static boolean leftBehind(Path in) throws IOException {
        try (var all = Files.list(in)) {
            return all.anyMatch(path -> path.toString().endsWith("-moved"));
        }
    }

    private static void bound(Admin admin, String bytesPerSecond) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.BROKER, "1"),
                        List.of(new AlterConfigOp(
                                new ConfigEntry("replica.alter.log.dirs.io.max.bytes.per.second", bytesPerSecond),
                                AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    /** Bytes of the copy, which has a lag as long as there is one. */
    private static long copied(Admin admin, Path to) throws Exception {
        ReplicaInfo copy = replica(admin, to);
        assertThat(copy.isFuture()).isTrue();
        assertThat(copy.offsetLag()).isPositive();
        return copy.size();
    }

    private static ReplicaInfo replica(Admin admin, Path in) throws Exception {
        return admin.describeLogDirs(List.of(1))
                .allDescriptions()
                .get()
                .get(1)
                .get(in.toString())
                .replicaInfos()
                .get(PARTITION);
    }

    private static int readAll(EmbeddedBroker broker) {
        try (var consumer =
                new KafkaConsumer<>(broker.clientConfig(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(PARTITION));
            consumer.seekToBeginning(List.of(PARTITION));
            int read = 0;
            for (int i = 0; i < 100 && consumer.position(PARTITION) < 310; i++) {
                read += consumer.poll(Duration.ofMillis(200)).count();
            }
            return read;
        }
    }

    @Test
    void aDirectoryThatCannotBeReachedAtStartLeavesTheOthersServing() throws Exception {
        Path one = Files.createDirectories(directory.resolve("one"));
        Path two = directory.resolve("two");
        Files.createFile(two); // a file where a directory should be
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two));
                Admin admin = broker.admin();
                var producer = new KafkaProducer<>(
                        broker.clientConfig(), new ByteArraySerializer(), new ByteArraySerializer())) {
            admin.createTopics(List.of(new NewTopic("t", 4, (short) 1))).all().get();
            assertThat(producer.send(new ProducerRecord<>("t", 0, null, new byte[9]))
                            .get()
                            .offset())
                    .isZero();
            var described =
                    admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
            assertThat(described.get(two.toString()).error()).isNotNull();
            assertThat(described.get(one.toString()).replicaInfos()).hasSize(4);
        }
    }

    @Test
    void aMovedPartitionIsNotBegunAnewWhenItsDirectoryIsAway() throws Exception {
        // Given: recorded in the only directory, then moved to a second one
        Path one = Files.createDirectories(directory.resolve("one"));
        Path two = Files.createDirectories(directory.resolve("two"));
        Path away = directory.resolve("away");
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one.toString()));
                Admin admin = broker.admin()) {
            admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get();
        }
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two));
                Admin admin = broker.admin();
                var producer = new KafkaProducer<>(
                        broker.clientConfig(), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (Future<RecordMetadata> sent : send(producer, 100)) {
                sent.get();
            }
            admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("t", 0, 1), two.toString()))
                    .all()
                    .get();
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> directoryOf(broker)
                    .equals(two));
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> isRecordedIn(broker, two));
        }
        // When
        Files.move(two, away);
        Files.createFile(two);
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two))) {
            // Then
            assertThat(broker.node().partitions().hosted("t", 0).online()).isFalse();
            assertThat(one.resolve("t-0")).doesNotExist();
        }
        Files.delete(two);
        Files.move(away, two);
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two))) {
            assertThat(broker.node().partitions().leader(PARTITION).log().logEndOffset())
                    .isEqualTo(100);
        }
    }

    /** As a crash leaves it between the end of a move and what the controller is told of it. */
    @Test
    void aMovedPartitionIsNotBegunAnewThoughTheMetadataHaveItWhereItWas() throws Exception {
        // Given
        Path one = Files.createDirectories(directory.resolve("one"));
        Path two = Files.createDirectories(directory.resolve("two"));
        Path away = directory.resolve("away");
        Uuid there;
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one.toString()));
                Admin admin = broker.admin();
                var producer = new KafkaProducer<>(
                        broker.clientConfig(), new ByteArraySerializer(), new ByteArraySerializer())) {
            admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get();
            for (Future<RecordMetadata> sent : send(producer, 100)) {
                sent.get();
            }
        }
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two))) {
            there = broker.node().logs().directories().get(1).id();
            assertThat(isRecordedIn(broker, one)).isTrue();
        }
        Files.move(one.resolve("t-0"), two.resolve("t-0"));
        Path left = one.resolve(
                "t-0.%016x%016x-moved".formatted(there.getMostSignificantBits(), there.getLeastSignificantBits()));
        Files.createDirectory(left);
        Files.copy(two.resolve("t-0").resolve("partition.metadata"), left.resolve("partition.metadata"));
        // When
        Files.move(two, away);
        Files.createFile(two);
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two))) {
            // Then: the metadata are told, since nobody is to ask this broker
            assertThat(broker.node().partitions().hosted("t", 0).online()).isFalse();
            assertThat(one.resolve("t-0")).doesNotExist();
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> directories(broker)
                    .contains(there));
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !Files.exists(left));
        }
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two))) {
            assertThat(broker.node().partitions().hosted("t", 0).online()).isFalse();
            assertThat(one.resolve("t-0")).doesNotExist();
        }
        Files.delete(two);
        Files.move(away, two);
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", one + "," + two))) {
            assertThat(broker.node().partitions().leader(PARTITION).log().logEndOffset())
                    .isEqualTo(100);
        }
    }

    private static List<Uuid> directories(EmbeddedBroker broker) {
        return broker.node().metadata().metadata().image().partition("t", 0).directories();
    }

    private static boolean isRecordedIn(EmbeddedBroker broker, Path directory) {
        return broker.node().logs().directories().stream()
                .filter(each -> each.path().equals(directory))
                .anyMatch(each -> directories(broker).contains(each.id()));
    }

    private static Path directoryOf(EmbeddedBroker broker) {
        return broker.node().partitions().leader(PARTITION).log().directory().path();
    }

    private static List<Future<RecordMetadata>> send(KafkaProducer<byte[], byte[]> producer, int count) {
        return send(producer, count, 200);
    }

    private static List<Future<RecordMetadata>> send(KafkaProducer<byte[], byte[]> producer, int count, int bytes) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sent.add(producer.send(new ProducerRecord<>("t", 0, null, new byte[bytes])));
        }
        return sent;
    }
}
