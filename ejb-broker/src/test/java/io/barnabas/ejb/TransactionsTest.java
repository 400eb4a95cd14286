package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionCoordinatorFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stock transactional clients against a whole broker. */
class TransactionsTest {
    private static EmbeddedBroker broker;
    private static Admin admin;
    private static int tests;

    private String topic;
    private String id;
    private TopicPartition first;

    @BeforeAll
    static void startBroker() {
        broker = EmbeddedBroker.start(Map.of(
                "transaction.abort.timed.out.transaction.cleanup.interval.ms", "100",
                "log.initial.task.delay.ms", "100",
                "log.flush.offset.checkpoint.interval.ms", "100",
                "log.cleaner.backoff.ms", "100"));
        admin = broker.admin();
    }

    @AfterAll
    static void stopBroker() {
        admin.close();
        broker.close();
    }

    @BeforeEach
    void createTopic() throws Exception {
        topic = "t" + ++tests;
        id = "x" + tests;
        first = new TopicPartition(topic, 0);
        admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all().get();
    }

    private KafkaProducer<String, String> producer(String transactionalId, Map<String, Object> settings) {
        Map<String, Object> config = broker.clientConfig();
        config.put("transactional.id", transactionalId);
        config.put("max.block.ms", "20000");
        config.putAll(settings);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private KafkaProducer<String, String> producer(String transactionalId) {
        KafkaProducer<String, String> producer = producer(transactionalId, Map.of());
        producer.initTransactions();
        return producer;
    }

    private void send(KafkaProducer<String, String> producer, String... values) {
        for (String value : values) {
            producer.send(new ProducerRecord<>(topic, 0, null, value));
        }
        producer.flush();
    }

    private KafkaConsumer<String, String> consumer(String isolation, Map<String, Object> settings) {
        Map<String, Object> config = broker.clientConfig();
        config.put("isolation.level", isolation);
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        config.putAll(settings);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    /** Everything that can be read of partition 0 now. */
    private List<String> read(String isolation) throws Exception {
        long end = end(
                isolation.equals("read_committed") ? IsolationLevel.READ_COMMITTED : IsolationLevel.READ_UNCOMMITTED);
        List<String> values = new ArrayList<>();
        try (var consumer = consumer(isolation, Map.of())) {
            consumer.assign(List.of(first));
            consumer.seekToBeginning(List.of(first));
            for (int i = 0; i < 200 && consumer.position(first) < end; i++) {
                consumer.poll(Duration.ofMillis(50)).forEach(record -> values.add(record.value()));
            }
            assertThat(consumer.position(first)).isEqualTo(end);
        }
        return values;
    }

    private long end(IsolationLevel isolation) throws Exception {
        return admin.listOffsets(
                        Map.of(first, OffsetSpec.latest()),
                        new org.apache.kafka.clients.admin.ListOffsetsOptions(isolation))
                .partitionResult(first)
                .get()
                .offset();
    }

    private void finalise(int level) throws Exception {
        admin.updateFeatures(
                        Map.of(
                                "transaction.version",
                                new FeatureUpdate((short) level, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE)),
                        new UpdateFeaturesOptions())
                .all()
                .get();
    }

    @AfterEach
    void finaliseTheLatest() throws Exception {
        var latest = new FeatureUpdate((short) 2, FeatureUpdate.UpgradeType.UPGRADE);
        admin.updateFeatures(Map.of("transaction.version", latest), new UpdateFeaturesOptions())
                .all()
                .get();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void committedRecordsAreReadAndAbortedOnesAreNot(int transactionVersion) throws Exception {
        // Given
        if (transactionVersion < 2) {
            finalise(transactionVersion);
        }
        try (var producer = producer(id)) {
            // When
            for (int i = 0; i < 3; i++) {
                producer.beginTransaction();
                send(producer, "c" + i);
                producer.send(new ProducerRecord<>(topic, 1, null, "other"));
                producer.commitTransaction();
                producer.beginTransaction();
                send(producer, "a" + i);
                producer.abortTransaction();
            }
        }
        // Then
        assertThat(read("read_committed")).containsExactly("c0", "c1", "c2");
        assertThat(read("read_uncommitted")).containsExactly("c0", "a0", "c1", "a1", "c2", "a2");
    }

    private void transaction(KafkaProducer<String, String> producer, boolean commit, String... keysAndValues) {
        producer.beginTransaction();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            producer.send(new ProducerRecord<>(first.topic(), 0, keysAndValues[i], keysAndValues[i + 1]));
        }
        if (commit) {
            producer.commitTransaction();
        } else {
            producer.abortTransaction();
        }
    }

    private List<String> withoutFillers(String isolation) throws Exception {
        return read(isolation).stream()
                .filter(value -> value == null || !value.startsWith("filler"))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aCompactedTopicLosesWhatWasAbortedAndSupersededAndIsReadAlikeInBothIsolationLevels(int transactionVersion)
            throws Exception {
        // Given segments of a few records each
        if (transactionVersion < 2) {
            finalise(transactionVersion);
        }
        first = new TopicPartition(topic + "-compacted", 0);
        Map<String, String> config = Map.of(
                "cleanup.policy", "compact",
                "segment.ms", "1",
                "min.cleanable.dirty.ratio", "0.01",
                "delete.retention.ms", "0");
        admin.createTopics(List.of(new NewTopic(first.topic(), 1, (short) 1).configs(config)))
                .all()
                .get();
        try (var producer = producer(id)) {
            transaction(producer, true, "gone", "here", "k", "c0");
            for (int i = 1; i < 4; i++) {
                transaction(producer, true, "k", "c" + i, "gone", null);
                transaction(producer, false, "k", "a" + i, "only" + i, "a");
            }
            // When what lies before the active segment is cleaned, which new segments bring about
            int[] fillers = new int[1];
            Awaitility.await().atMost(Duration.ofMinutes(1)).pollInSameThread().untilAsserted(() -> {
                transaction(producer, true, "filler", "filler" + fillers[0]++);
                assertThat(withoutFillers("read_uncommitted")).containsExactly("c3");
            });
            // Then
            assertThat(withoutFillers("read_committed")).containsExactly("c3");
            broker.restart();
            assertThat(withoutFillers("read_committed")).containsExactly("c3");
            // And its producer goes on
            transaction(producer, false, "k", "a9");
            transaction(producer, true, "k", "c9");
            assertThat(withoutFillers("read_committed")).endsWith("c9").doesNotContain("a9");
        }
    }

    @Test
    void newClustersHaveTransactionVersionTwo() throws Exception {
        var features = admin.describeFeatures().featureMetadata().get();

        assertThat(features.finalizedFeatures().get("transaction.version").maxVersionLevel())
                .isEqualTo((short) 2);
    }

    @Test
    void anOpenTransactionIsNotReadBeyond() throws Exception {
        try (var producer = producer(id)) {
            producer.beginTransaction();
            send(producer, "a");
            assertThat(end(IsolationLevel.READ_COMMITTED)).isZero();
            assertThat(end(IsolationLevel.READ_UNCOMMITTED)).isOne();
            producer.commitTransaction();
            Awaitility.await().until(() -> end(IsolationLevel.READ_COMMITTED) == 2);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, classic", "2, classic", "1, consumer", "2, consumer"})
    void offsetsTakeEffectWithTheirTransaction(int transactionVersion, String groupProtocol) throws Exception {
        if (transactionVersion < 2) {
            finalise(transactionVersion);
        }
        try (var producer = producer(id);
                var consumer = consumer("read_committed", Map.of("group.id", id, "group.protocol", groupProtocol))) {
            producer.beginTransaction();
            send(producer, "a", "b");
            producer.commitTransaction();
            consumer.subscribe(List.of(topic));
            Awaitility.await().until(() -> consumer.poll(Duration.ofMillis(100)).count() > 0);
            // When the first is aborted, the second committed
            for (boolean commit : new boolean[] {false, true}) {
                producer.beginTransaction();
                send(producer, commit ? "out" : "lost");
                producer.sendOffsetsToTransaction(
                        Map.of(first, new OffsetAndMetadata(commit ? 2 : 1)), consumer.groupMetadata());
                // Then it is hidden while the transaction is open
                var pending = admin.listConsumerGroupOffsets(id).partitionsToOffsetAndMetadata();
                assertThat(pending.get()).doesNotContainKey(first);
                assertThatThrownBy(() -> consumer.committed(Set.of(first), Duration.ofMillis(300)))
                        .as("who reads what is committed is told to wait")
                        .isInstanceOf(TimeoutException.class);
                if (commit) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }
            Awaitility.await().untilAsserted(() -> assertThat(admin.listConsumerGroupOffsets(id)
                            .partitionsToOffsetAndMetadata()
                            .get()
                            .get(first)
                            .offset())
                    .isEqualTo(2));
        }
        assertThat(read("read_committed")).containsExactly("a", "b", "out");
    }

    @Test
    void aProducerThatBeginsFencesTheOneBefore() throws Exception {
        try (var before = producer(id)) {
            before.beginTransaction();
            send(before, "a");
            try (var second = producer(id)) {
                assertThatThrownBy(() -> {
                            before.send(new ProducerRecord<>(topic, 0, null, "b"))
                                    .get();
                            before.commitTransaction();
                        })
                        .satisfies(
                                e -> assertThat(e instanceof KafkaException || e.getCause() instanceof KafkaException)
                                        .isTrue())
                        .hasStackTraceContaining("rodu");
                second.beginTransaction();
                send(second, "c");
                second.commitTransaction();
            }
        }
        assertThat(read("read_committed")).containsExactly("c");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void aTransactionThatTakesTooLongIsAborted(int transactionVersion) throws Exception {
        if (transactionVersion < 2) {
            finalise(transactionVersion);
        }
        try (var producer = producer(id, Map.of("transaction.timeout.ms", "300"))) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, "late");
            Awaitility.await().until(() -> end(IsolationLevel.READ_COMMITTED) == 2);
            assertThatThrownBy(producer::commitTransaction)
                    .isInstanceOfAny(
                            ProducerFencedException.class, InvalidProducerEpochException.class, KafkaException.class);
        }
        assertThat(read("read_committed")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aTransactionGoesOnAfterTheBrokerStartsAgain(boolean orderly) throws Exception {
        try (var producer = producer(id)) {
            producer.beginTransaction();
            send(producer, "a");
            // When
            if (orderly) {
                broker.restart();
            } else {
                broker.crash();
            }
            // Then
            send(producer, "b");
            producer.commitTransaction();
            producer.beginTransaction();
            send(producer, "c");
            producer.abortTransaction();
        }
        assertThat(read("read_committed")).containsExactly("a", "b");
    }

    @Test
    void administrationSeesTransactionsAndFencesProducers() throws Exception {
        try (var producer = producer("tx-1")) {
            producer.beginTransaction();
            send(producer, "a");

            TransactionDescription described = admin.describeTransactions(List.of("tx-1"))
                    .description("tx-1")
                    .get();
            assertThat(described.state()).isEqualTo(TransactionState.ONGOING);
            assertThat(described.topicPartitions()).containsExactly(first);
            assertThat(admin.listTransactions().all().get())
                    .extracting(TransactionListing::transactionalId)
                    .contains("tx-1");
            assertThat(admin.listTransactions(new ListTransactionsOptions().filterOnDuration(600_000))
                            .all()
                            .get())
                    .isEmpty();
            assertThat(admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern("tx-.*"))
                            .all()
                            .get())
                    .hasSize(1);
            assertThat(admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern("y.*"))
                            .all()
                            .get())
                    .isEmpty();

            admin.fenceProducers(List.of("tx-1")).all().get();
            assertThatThrownBy(producer::commitTransaction).isInstanceOf(KafkaException.class);
        }
        Awaitility.await().until(() -> end(IsolationLevel.READ_COMMITTED) == 2);
        assertThat(read("read_committed")).isEmpty();
    }

    @Test
    void aTransactionThatHangsIsAbortedByAnOperator() throws Exception {
        try (var producer = producer(id)) {
            producer.beginTransaction();
            send(producer, "a");
            ProducerState state = admin.describeProducers(List.of(first))
                    .partitionResult(first)
                    .get()
                    .activeProducers()
                    .get(0);
            assertThat(state.currentTransactionStartOffset()).hasValue(0);

            admin.abortTransaction(new AbortTransactionSpec(
                            first,
                            state.producerId(),
                            (short) state.producerEpoch(),
                            state.coordinatorEpoch().orElse(0)))
                    .all()
                    .get();

            assertThat(end(IsolationLevel.READ_COMMITTED)).isEqualTo(2);
        }
        assertThat(read("read_committed")).isEmpty();
    }

    @Test
    void anAbortWithAnOlderCoordinatorsEpochIsFenced() throws Exception {
        try (var producer = producer(id)) {
            transaction(producer, true, "k", "v");
            producer.beginTransaction();
            send(producer, "open");
            ProducerState state = admin.describeProducers(List.of(first))
                    .partitionResult(first)
                    .get()
                    .activeProducers()
                    .get(0);

            var abort = admin.abortTransaction(new AbortTransactionSpec(
                    first,
                    state.producerId(),
                    (short) state.producerEpoch(),
                    state.coordinatorEpoch().orElse(0) - 1));

            assertThatThrownBy(() -> abort.all().get()).hasCauseInstanceOf(TransactionCoordinatorFencedException.class);
            producer.commitTransaction();
        }
        assertThat(read("read_committed")).containsExactly("v", "open");
    }

    @Test
    void manyProducersWriteTransactionsSideBySide() throws Exception {
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int p = 0; p < 4; p++) {
            String name = "p" + p;
            Thread thread = new Thread(() -> {
                try (var producer = producer(name)) {
                    for (int i = 0; i < 25; i++) {
                        producer.beginTransaction();
                        producer.send(new ProducerRecord<>(topic, 0, null, name + "-" + i));
                        producer.send(new ProducerRecord<>(topic, 1, null, name + "-" + i));
                        if (i % 5 == 4) {
                            producer.abortTransaction();
                        } else {
                            producer.commitTransaction();
                        }
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
        assertThat(read("read_committed")).hasSize(80).doesNotHaveDuplicates();
    }
}
