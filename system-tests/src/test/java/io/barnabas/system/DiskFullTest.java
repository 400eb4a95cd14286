package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small tmpfs that fills up: producers get an error, consumers go on, and it recovers without a restart once there is room. */
class DiskFullTest {
    private static final TopicPartition PARTITION = new TopicPartition("full", 0);

    @Test
    void a_full_disk_fails_producers_only_and_heals_when_there_is_room(@TempDir Path dir) throws Exception {
        Path mount = Files.createDirectory(dir.resolve("small"));
        assumeTrue(mounts(mount), "mounting a tmpfs is not allowed here");
        try (BarnabasProcess broker = BarnabasProcess.start(
                dir.resolve("data"), Map.of("log.dirs", mount.resolve("logs").toString()))) {
            createTopic(broker);
            // Given a disk filled by something else but for a little room
            Path ballast = mount.resolve("ballast");
            long acknowledged = 0;
            try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                for (; acknowledged < 50; acknowledged++) {
                    send(producer);
                }
                fill(mount, ballast);
                // When producers go on until the disk is full
                Throwable refused = null;
                for (int i = 0; refused == null && i < 2_000; i++) {
                    try {
                        send(producer);
                        acknowledged++;
                    } catch (ExecutionException e) {
                        refused = e.getCause();
                    }
                }
                assertThat(refused)
                        .as("a producer on a full disk gets an error")
                        .isNotNull();
            }
            // Then consumers go on
            assertThat(readable(broker)).isGreaterThanOrEqualTo(acknowledged);
            // And with room again producers do, without a restart
            Files.delete(ballast);
            long before = acknowledged;
            try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                Awaitility.await("appends after there is room")
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> {
                            try {
                                send(producer);
                                return true;
                            } catch (ExecutionException e) {
                                return false;
                            }
                        });
            }
            assertThat(broker.alive()).isTrue();
            assertThat(readable(broker)).isGreaterThan(before);
            // And a restart finds everything
            broker.stop();
            broker.start();
            assertThat(readable(broker)).isGreaterThan(before);
        } finally {
            ForeignClientsTest.run("umount", "-l", mount.toString());
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

    private static void createTopic(BarnabasProcess broker) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(PARTITION.topic(), 1, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private static KafkaProducer<byte[], byte[]> producer(BarnabasProcess broker) {
        return new KafkaProducer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "acks", "all",
                "retries", "2",
                "enable.idempotence", "false",
                "delivery.timeout.ms", "5000",
                "request.timeout.ms", "3000",
                "linger.ms", "0",
                "key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer",
                "value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"));
    }

    private static void send(KafkaProducer<byte[], byte[]> producer) throws Exception {
        producer.send(new ProducerRecord<>(PARTITION.topic(), 0, null, new byte[50_000]))
                .get(30, TimeUnit.SECONDS);
    }

    private static long readable(BarnabasProcess broker) {
        long count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer"))) {
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
