package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One data directory of two is lost under load, as when a disk is pulled: its file system is unmounted, so that no new file can be made
 * there. A disk that is merely full is another matter, see {@link DiskFullTest}.
 */
class DiskFailureTest {
    private static final String TOPIC = "two-disks";
    private static final int PARTITIONS = 6;
    private static final int RECORD_BYTES = 50_000;

    @Test
    void a_failed_data_directory_fails_its_own_partitions_only(@TempDir Path dir) throws Exception {
        Path mount = Files.createDirectory(dir.resolve("pulled"));
        assumeTrue(DiskFullTest.mounts(mount), "mounting a tmpfs is not allowed here");
        String pulled = mount.resolve("logs").toString();
        String kept = dir.resolve("kept").toString();
        try (BarnabasProcess broker =
                        BarnabasProcess.start(dir.resolve("data"), Map.of("log.dirs", kept + "," + pulled));
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
            // Given partitions on both directories, all of them under load; segments are small, so that new files are
            // soon needed
            NewTopic topic = new NewTopic(TOPIC, PARTITIONS, (short) 1);
            topic.configs(Map.of("segment.bytes", Integer.toString(1 << 20)));
            admin.createTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
            int lost = partitionIn(directories(admin).get(pulled));
            int safe = partitionIn(directories(admin).get(kept));
            try (KafkaProducer<byte[], byte[]> producer = producer(broker)) {
                for (int partition = 0; partition < PARTITIONS; partition++) {
                    send(producer, partition);
                }
                // When the file system of the one is gone
                ForeignClientsTest.run("umount", "-l", mount.toString());
                Throwable refused = refusal(producer, lost);
                // Then its partitions refuse records
                assertThat(refused)
                        .as("what a producer to the failed directory gets")
                        .isInstanceOfAny(
                                KafkaStorageException.class,
                                NotLeaderOrFollowerException.class,
                                TimeoutException.class);
                // And those of the other take and give them, over more than a segment
                for (int i = 0; i < 40; i++) {
                    send(producer, safe);
                }
            }
            assertThat(readable(broker, safe)).isEqualTo(41);
            // And the failed directory is shown as offline, the other is not
            assertThat(directories(admin).get(pulled).error())
                    .as("error of the directory that failed")
                    .isInstanceOf(KafkaStorageException.class);
            assertThat(directories(admin).get(kept).error()).isNull();
            assertThat(broker.alive()).isTrue();
        } finally {
            new ProcessBuilder("umount", "-l", mount.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }
    }

    /** The first error within two segments' worth of records. */
    private static Throwable refusal(KafkaProducer<byte[], byte[]> producer, int partition) throws Exception {
        for (int i = 0; i < 50; i++) {
            try {
                send(producer, partition);
            } catch (ExecutionException e) {
                return e.getCause();
            }
        }
        return null;
    }

    private static Map<String, LogDirDescription> directories(Admin admin) throws Exception {
        Map<Integer, Map<String, LogDirDescription>> all = admin.describeLogDirs(
                        admin.describeCluster().nodes().get(30, TimeUnit.SECONDS).stream()
                                .map(node -> node.id())
                                .toList())
                .allDescriptions()
                .get(30, TimeUnit.SECONDS);
        Map<String, LogDirDescription> directories = new HashMap<>();
        all.values().forEach(directories::putAll);
        return directories;
    }

    private static int partitionIn(LogDirDescription directory) {
        return directory.replicaInfos().keySet().stream()
                .filter(partition -> partition.topic().equals(TOPIC))
                .mapToInt(TopicPartition::partition)
                .findFirst()
                .orElseThrow();
    }

    private static KafkaProducer<byte[], byte[]> producer(BarnabasProcess broker) {
        return new KafkaProducer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "acks", "all",
                "retries", "2",
                "enable.idempotence", "false",
                "max.block.ms", "20000",
                "delivery.timeout.ms", "20000",
                "request.timeout.ms", "10000",
                "linger.ms", "0",
                "key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer",
                "value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"));
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, int partition) throws Exception {
        producer.send(new ProducerRecord<>(TOPIC, partition, null, new byte[RECORD_BYTES]))
                .get(30, TimeUnit.SECONDS);
    }

    private static long readable(BarnabasProcess broker, int partition) {
        TopicPartition from = new TopicPartition(TOPIC, partition);
        long count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer"))) {
            consumer.assign(List.of(from));
            consumer.seekToBeginning(List.of(from));
            long end = consumer.endOffsets(List.of(from)).get(from);
            while (consumer.position(from) < end) {
                count += consumer.poll(Duration.ofSeconds(1)).count();
            }
        }
        return count;
    }
}
