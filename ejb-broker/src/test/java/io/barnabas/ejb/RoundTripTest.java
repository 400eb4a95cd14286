package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stock clients against a whole broker. */
class RoundTripTest {
    private static final Duration POLL = Duration.ofMillis(200);
    private static EmbeddedBroker broker;
    private static Admin admin;

    @BeforeAll
    static void startBroker() {
        broker = EmbeddedBroker.start();
        admin = broker.admin();
    }

    @AfterAll
    static void stopBroker() {
        admin.close();
        broker.close();
    }

    private static void create(String topic, int partitions, Map<String, String> configs) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs)))
                .all()
                .get();
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> settings) {
        Map<String, Object> config = broker.clientConfig();
        config.putAll(settings);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> settings) {
        Map<String, Object> config = broker.clientConfig();
        config.put("auto.offset.reset", "earliest");
        config.putAll(settings);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<RecordMetadata> send(KafkaProducer<byte[], byte[]> producer, String topic, int count)
            throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sent.add(producer.send(new ProducerRecord<>(topic, 0, bytes("k" + i), bytes("value " + i))));
        }
        producer.flush();
        List<RecordMetadata> done = new ArrayList<>();
        for (Future<RecordMetadata> one : sent) {
            done.add(one.get());
        }
        return done;
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(
            KafkaConsumer<byte[], byte[]> consumer, int count, TopicPartition... partitions) {
        consumer.assign(List.of(partitions));
        consumer.seekToBeginning(consumer.assignment());
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 100 && records.size() < count; i++) {
            consumer.poll(POLL).forEach(records::add);
        }
        return records;
    }

    @ParameterizedTest
    @CsvSource({"none,all", "gzip,all", "snappy,all", "lz4,all", "zstd,all", "none,1", "none,0", "lz4,1"})
    void recordsComeBackAsTheyWereSent(String codec, String acks) throws Exception {
        // Given
        String topic = "round-" + codec + "-" + acks;
        create(topic, 1, Map.of());
        boolean idempotent = acks.equals("all");
        // When
        try (var producer = producer(Map.of(
                        "compression.type", codec, "acks", acks, "enable.idempotence", idempotent, "linger.ms", 5));
                var consumer = consumer(Map.of("check.crcs", true))) {
            send(producer, topic, 500);
            List<ConsumerRecord<byte[], byte[]>> records = read(consumer, 500, new TopicPartition(topic, 0));
            // Then
            assertThat(records).hasSize(500);
            for (int i = 0; i < 500; i++) {
                assertThat(records.get(i).offset()).isEqualTo(i);
                assertThat(records.get(i).value()).isEqualTo(bytes("value " + i));
            }
        }
    }

    @Test
    void logAppendTimeIsTheBrokersTime() throws Exception {
        create("append-time", 1, Map.of("message.timestamp.type", "LogAppendTime"));
        try (var producer = producer(Map.of());
                var consumer = consumer(Map.of())) {
            RecordMetadata sent = producer.send(new ProducerRecord<>("append-time", 0, 5L, null, bytes("x")))
                    .get();
            ConsumerRecord<byte[], byte[]> record =
                    read(consumer, 1, new TopicPartition("append-time", 0)).get(0);
            assertThat(sent.timestamp()).isGreaterThan(1_000_000_000_000L);
            assertThat(record.timestamp()).isEqualTo(sent.timestamp());
            assertThat(record.timestampType()).isEqualTo(TimestampType.LOG_APPEND_TIME);
        }
    }

    @Test
    void recordsThatAreTooLargeAreRefusedAndOthersGoOn() throws Exception {
        create("large", 1, Map.of("max.message.bytes", "1000"));
        try (var producer = producer(Map.of())) {
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("large", new byte[2_000]))
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(RecordTooLargeException.class);
            assertThat(producer.send(new ProducerRecord<>("large", new byte[10]))
                            .get()
                            .offset())
                    .isZero();
        }
    }

    @Test
    void aWaitingConsumerGetsWhatIsProducedMeanwhile() throws Exception {
        create("wait", 1, Map.of());
        try (var producer = producer(Map.of());
                var consumer = consumer(Map.of("fetch.max.wait.ms", 3_000))) {
            consumer.assign(List.of(new TopicPartition("wait", 0)));
            consumer.poll(POLL);
            producer.send(new ProducerRecord<>("wait", 0, null, bytes("x"))).get();
            long began = System.currentTimeMillis();
            assertThat(consumer.poll(Duration.ofSeconds(2)).count()).isEqualTo(1);
            assertThat(System.currentTimeMillis() - began).isLessThan(1_500);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"read_uncommitted", "read_committed"})
    void oneSessionServesAThousandPartitions(String isolation) throws Exception {
        String topic = "many-" + isolation;
        create(topic, 1_000, Map.of());
        TopicPartition[] all = IntStream.range(0, 1_000)
                .mapToObj(i -> new TopicPartition(topic, i))
                .toArray(TopicPartition[]::new);
        try (var producer = producer(Map.of("linger.ms", 5));
                var consumer = consumer(Map.of("isolation.level", isolation))) {
            for (int i = 0; i < 1_000; i++) {
                producer.send(new ProducerRecord<>(topic, i, null, bytes("v" + i)));
            }
            producer.flush();
            assertThat(read(consumer, 1_000, all)).hasSize(1_000);
            assertThat(consumer.poll(POLL).count()).isZero();
            producer.send(new ProducerRecord<>(topic, 777, null, bytes("one more")))
                    .get();
            assertThat(consumer.poll(Duration.ofSeconds(5)).count()).isEqualTo(1);
        }
    }

    @Test
    void offsetsAreFoundByTimeAndBySpecialTimestamps() throws Exception {
        create("offsets", 1, Map.of());
        TopicPartition partition = new TopicPartition("offsets", 0);
        try (var producer = producer(Map.of())) {
            for (long time : new long[] {1_000, 3_000, 2_000}) {
                producer.send(new ProducerRecord<>("offsets", 0, time, null, bytes("x")))
                        .get();
            }
        }
        assertThat(offset(partition, OffsetSpec.earliest())).isZero();
        assertThat(offset(partition, OffsetSpec.latest())).isEqualTo(3);
        assertThat(offset(partition, OffsetSpec.maxTimestamp())).isEqualTo(1);
        assertThat(offset(partition, OffsetSpec.forTimestamp(1_500))).isEqualTo(1);
        assertThat(offset(partition, OffsetSpec.forTimestamp(9_000))).isEqualTo(-1);
        assertThat(offset(partition, OffsetSpec.earliestLocal())).isZero();
        assertThat(offset(partition, OffsetSpec.latestTiered())).isEqualTo(-1);
    }

    private static long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec))
                .partitionResult(partition)
                .get()
                .offset();
    }

    @Test
    void deletedRecordsAreGoneAndDirectoriesAreDescribed() throws Exception {
        create("delete-records", 1, Map.of());
        TopicPartition partition = new TopicPartition("delete-records", 0);
        try (var producer = producer(Map.of())) {
            send(producer, "delete-records", 10);
        }
        long low = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4)))
                .lowWatermarks()
                .get(partition)
                .get()
                .lowWatermark();
        assertThat(low).isEqualTo(4);
        assertThat(offset(partition, OffsetSpec.earliest())).isEqualTo(4);
        var directories =
                admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
        assertThat(directories).hasSize(1);
        assertThat(directories
                        .values()
                        .iterator()
                        .next()
                        .replicaInfos()
                        .get(partition)
                        .size())
                .isPositive();
        var producers = admin.describeProducers(List.of(partition))
                .partitionResult(partition)
                .get();
        assertThat(producers.activeProducers()).hasSize(1);
    }
}
