package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small tmpfs that fills up, with partitions, groups and the metadata journal on it: what would write gets an error, consumers go on,
 * and it recovers without a restart once there is room.
 */
class DiskFullTest {
    private static final TopicPartition PARTITION = new TopicPartition("full", 0);

    @Test
    void a_full_disk_fails_changes_only_and_heals_when_there_is_room(@TempDir Path dir) throws Exception {
        Path mount = Files.createDirectory(dir.resolve("small"));
        assumeTrue(mounts(mount), "mounting a tmpfs is not allowed here");
        try (BarnabasProcess broker = BarnabasProcess.start(
                dir.resolve("data"), Map.of("log.dirs", mount.resolve("logs").toString()))) {
            createTopic(broker, PARTITION.topic());
            // Given records, and a group that has committed
            long acknowledged = 50;
            try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                for (int i = 0; i < acknowledged; i++) {
                    send(producer, 50_000);
                }
            }
            commit(broker, 10);
            // When something else fills the disk but for a little room, and producers all of it
            Path ballast = mount.resolve("ballast");
            fill(mount, ballast);
            try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                for (int bytes : new int[] {50_000, 5_000, 500, 1}) {
                    acknowledged += sendUntilRefused(producer, bytes);
                }
            }
            // Then changes are refused, of whatever kind
            assertThatThrownBy(() -> createTopic(broker, "refused")).isInstanceOf(ExecutionException.class);
            try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                assertThatThrownBy(() -> send(producer, 50_000)).isInstanceOf(ExecutionException.class);
            }
            try {
                commit(broker, 20);
                assertThat(committed(broker)).isEqualTo(20); // a page of the log had room for so little
            } catch (KafkaException refused) {
                assertThat(committed(broker)).isEqualTo(10);
            }
            // And consumers go on
            assertThat(broker.alive()).isTrue();
            assertThat(readable(broker)).isGreaterThanOrEqualTo(acknowledged);
            // When there is room again
            Files.delete(ballast);
            // Then everything goes on, without a restart
            long before = acknowledged;
            eventually("a topic is made", () -> createTopic(broker, "after"));
            eventually("records are taken", () -> {
                try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                    send(producer, 50_000);
                }
            });
            eventually("a group commits", () -> commit(broker, 30));
            assertThat(broker.alive()).isTrue();
            assertThat(readable(broker)).isGreaterThan(before);
            // And a restart finds everything
            broker.stop();
            broker.start();
            assertThat(readable(broker)).isGreaterThan(before);
            assertThat(committed(broker)).isEqualTo(30);
        } finally {
            ForeignClientsTest.run("umount", "-l", mount.toString());
        }
    }

    /** Sends until the disk is full. @return how many were acknowledged */
    private static int sendUntilRefused(KafkaProducer<byte[], byte[]> producer, int bytes) throws Exception {
        for (int sent = 0; sent < 2_000; sent++) {
            try {
                send(producer, bytes);
            } catch (ExecutionException e) {
                return sent;
            }
        }
        throw new AssertionError("a producer on a full disk gets no error; bytes=" + bytes);
    }

    private static void eventually(String what, ThrowingRunnable attempt) {
        Awaitility.await(what).atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(attempt);
    }

    /** Commits an offset of the group without a member. */
    private static void commit(BarnabasProcess broker, long offset) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(broker)) {
            consumer.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset)), Duration.ofSeconds(10));
        }
    }

    private static long committed(BarnabasProcess broker) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(broker)) {
            return consumer.committed(Set.of(PARTITION)).get(PARTITION).offset();
        }
    }

    static boolean mounts(Path mount) throws Exception {
        return new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", mount.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }

    private static void fill(Path mount, Path ballast) throws Exception {
        long room = Files.getFileStore(mount).getUsableSpace() - (2 << 20);
        try (var out = Files.newOutputStream(ballast)) {
            byte[] block = new byte[1 << 16];
            for (long written = 0; written < room; written += block.length) {
                out.write(block);
            }
        }
    }

    private static void createTopic(BarnabasProcess broker, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of(
                "bootstrap.servers",
                broker.bootstrap(),
                "default.api.timeout.ms",
                "10000",
                "request.timeout.ms",
                "5000"))) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
        }
    }

    /** A client's defaults, but impatient. */
    private static KafkaProducer<byte[], byte[]> producer(BarnabasProcess broker) {
        return new KafkaProducer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "delivery.timeout.ms", "5000",
                "max.block.ms", "5000",
                "request.timeout.ms", "3000",
                "linger.ms", "0",
                "key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer",
                "value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"));
    }

    private static KafkaConsumer<byte[], byte[]> consumer(BarnabasProcess broker) {
        return new KafkaConsumer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "group.id", "g",
                "enable.auto.commit", "false",
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer"));
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, int bytes) throws Exception {
        producer.send(new ProducerRecord<>(PARTITION.topic(), 0, null, new byte[bytes]))
                .get(30, TimeUnit.SECONDS);
    }

    private static long readable(BarnabasProcess broker) {
        long count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(broker)) {
            consumer.assign(List.of(PARTITION));
            consumer.seekToBeginning(List.of(PARTITION));
            long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
            while (consumer.position(PARTITION) < end) {
                count += consumer.poll(Duration.ofSeconds(1)).count();
            }
        }
        return count;
    }
}
