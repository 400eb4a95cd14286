package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A transactional producer loses its connection at each step of a transaction, once before the broker has the request and once before it
 * has the answer itself. It tries again by itself, and of everything there is one copy.
 */
class LostConnectionsTest {
    private static final TopicPartition SOURCE = new TopicPartition("source", 0);

    @TempDir
    static Path dir;

    static LossyProxy proxy;
    static BarnabasProcess broker;
    static Admin admin;
    static Map<String, KafkaConsumer<String, String>> readers;
    static int transactionVersion = 2;
    static int cases;

    @BeforeAll
    static void start() throws Exception {
        proxy = new LossyProxy();
        broker = BarnabasProcess.startBehind(proxy, dir.resolve("data"), Map.of());
        admin = Admin.create(Map.of("bootstrap.servers", proxy.bootstrap()));
        readers = Map.of("read_committed", reader("read_committed"), "read_uncommitted", reader("read_uncommitted"));
        create(SOURCE.topic());
    }

    @AfterAll
    static void stop() throws Exception {
        readers.values().forEach(KafkaConsumer::close);
        admin.close();
        broker.close();
        proxy.close();
    }

    static Stream<Arguments> steps() {
        List<Arguments> steps = new ArrayList<>();
        for (LossyProxy.Loss loss : LossyProxy.Loss.values()) {
            for (ApiKeys api : List.of(
                    ApiKeys.FIND_COORDINATOR,
                    ApiKeys.INIT_PRODUCER_ID,
                    ApiKeys.PRODUCE,
                    ApiKeys.TXN_OFFSET_COMMIT,
                    ApiKeys.END_TXN)) {
                steps.add(Arguments.of(2, api, loss));
            }
            for (ApiKeys api : List.of(
                    ApiKeys.INIT_PRODUCER_ID,
                    ApiKeys.ADD_PARTITIONS_TO_TXN,
                    ApiKeys.PRODUCE,
                    ApiKeys.ADD_OFFSETS_TO_TXN,
                    ApiKeys.TXN_OFFSET_COMMIT,
                    ApiKeys.END_TXN)) {
                steps.add(Arguments.of(1, api, loss));
            }
        }
        steps.sort((a, b) -> (int) b.get()[0] - (int) a.get()[0]);
        return steps.stream();
    }

    @ParameterizedTest(name = "TV{0}, {1}, {2}")
    @MethodSource("steps")
    void a_transaction_whose_connection_is_lost_at_this_step_leaves_one_copy(
            int version, ApiKeys api, LossyProxy.Loss loss) throws Exception {
        // Given a producer of that transaction version
        setTransactionVersion(version);
        String topic = newTopic();
        proxy.loseNext(api, loss);
        int before = proxy.losses();
        try (KafkaProducer<String, String> producer = producer(topic)) {
            // When a transaction with records and offsets meets the loss
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, "a", "b", "c");
            producer.sendOffsetsToTransaction(
                    Map.of(SOURCE, new OffsetAndMetadata(5)), new ConsumerGroupMetadata(topic + "-group"));
            producer.commitTransaction();
            assertThat(proxy.losses()).as("connections lost").isEqualTo(before + 1);
            // Then it is committed once, and the producer goes on
            assertThat(read(topic, "read_committed")).containsExactlyInAnyOrder("a", "b", "c");
            assertThat(committedOffset(topic)).isEqualTo(5);
            producer.beginTransaction();
            send(producer, topic, "d");
            producer.commitTransaction();
        }
        assertThat(read(topic, "read_committed")).containsExactlyInAnyOrder("a", "b", "c", "d");
        assertThat(read(topic, "read_uncommitted")).containsExactlyInAnyOrder("a", "b", "c", "d");
    }

    @ParameterizedTest(name = "TV{0}, {1}")
    @MethodSource("abortSteps")
    void an_abort_whose_connection_is_lost_is_an_abort(int version, LossyProxy.Loss loss) throws Exception {
        setTransactionVersion(version);
        String topic = newTopic();
        try (KafkaProducer<String, String> producer = producer(topic)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, "a", "b");
            proxy.loseNext(ApiKeys.END_TXN, loss);
            int before = proxy.losses();
            producer.abortTransaction();
            assertThat(proxy.losses()).as("connections lost").isEqualTo(before + 1);
            producer.beginTransaction();
            send(producer, topic, "c");
            producer.commitTransaction();
        }
        assertThat(read(topic, "read_committed")).containsExactly("c");
    }

    static Stream<Arguments> abortSteps() {
        return Stream.of(2, 1)
                .flatMap(version -> Stream.of(LossyProxy.Loss.values()).map(loss -> Arguments.of(version, loss)));
    }

    private static void setTransactionVersion(int version) throws Exception {
        if (transactionVersion == version) {
            return;
        }
        FeatureUpdate.UpgradeType type = version < transactionVersion
                ? FeatureUpdate.UpgradeType.SAFE_DOWNGRADE
                : FeatureUpdate.UpgradeType.UPGRADE;
        FeatureUpdate update = new FeatureUpdate((short) version, type);
        admin.updateFeatures(Map.of("transaction.version", update), new UpdateFeaturesOptions())
                .all()
                .get(30, TimeUnit.SECONDS);
        transactionVersion = version;
    }

    private static String newTopic() throws Exception {
        String topic = "lost-" + ++cases;
        create(topic);
        return topic;
    }

    private static void create(String topic) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all().get(30, TimeUnit.SECONDS);
    }

    private static void send(KafkaProducer<String, String> producer, String topic, String... values) throws Exception {
        List<Future<RecordMetadata>> sends = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            sends.add(producer.send(new ProducerRecord<>(topic, i % 2, null, values[i])));
        }
        for (Future<RecordMetadata> send : sends) {
            assertThat(send.get(30, TimeUnit.SECONDS).hasOffset()).isTrue();
        }
    }

    private static long committedOffset(String topic) throws Exception {
        return admin.listConsumerGroupOffsets(topic + "-group")
                .partitionsToOffsetAndMetadata()
                .get(30, TimeUnit.SECONDS)
                .get(SOURCE)
                .offset();
    }

    private static KafkaProducer<String, String> producer(String topic) {
        return new KafkaProducer<>(Map.of(
                "bootstrap.servers",
                proxy.bootstrap(),
                "transactional.id",
                topic,
                "request.timeout.ms",
                10_000,
                "key.serializer",
                "org.apache.kafka.common.serialization.StringSerializer",
                "value.serializer",
                "org.apache.kafka.common.serialization.StringSerializer"));
    }

    private static KafkaConsumer<String, String> reader(String isolation) {
        return new KafkaConsumer<>(Map.of(
                "bootstrap.servers", proxy.bootstrap(),
                "isolation.level", isolation,
                "auto.offset.reset", "earliest",
                "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"));
    }

    /** The topic from its beginning to its end. */
    private static List<String> read(String topic, String isolation) {
        List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
        List<String> values = new ArrayList<>();
        KafkaConsumer<String, String> consumer = readers.get(isolation);
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            consumer.poll(Duration.ofMillis(200)).forEach(found -> values.add(found.value()));
        }
        return values;
    }
}
