package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.net.RawClient;
import io.barnabas.port.TransactionBranches;
import io.barnabas.port.TransactionBranches.Prepared;
import io.barnabas.port.TransactionBranches.Producer;
import io.barnabas.port.TransactionBranches.Vote;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two-phase commits (KIP-939) against a whole broker: a stock producer writes, the prepared transaction is ended by requests that no
 * stock client sends yet, or by the resource adapter.
 */
class TwoPhaseCommitTest {
    private static final short INIT_VERSION = 6;
    private static final int TIMEOUT_MS = 60_000;

    private static EmbeddedBroker broker;
    private static Admin admin;
    private static int tests;

    private String topic;
    private String id;

    @BeforeAll
    static void startBroker() {
        broker = EmbeddedBroker.start(Map.of(
                "transaction.two.phase.commit.enable", "true",
                "transaction.abort.timed.out.transaction.cleanup.interval.ms", "50"));
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
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
    }

    @AfterEach
    void leaveNothingPrepared() {
        for (Prepared prepared : done(branches().prepared())) {
            done(branches().abort(prepared.transactionalId()));
        }
        assertThat(broker.failures()).isEmpty();
    }

    private static TransactionBranches branches() {
        return broker.node().dispatcher().branches();
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** Sends a request as its bytes and reads the answer. */
    private static <T extends ApiMessage> T ask(ApiKeys api, int version, ApiMessage request, T answer)
            throws Exception {
        try (RawClient client = new RawClient(broker.port())) {
            client.send(RawClient.frame(api, (short) version, 7, request));
            ByteBuffer bytes = client.receive();
            assertThat(bytes.getInt()).isEqualTo(7);
            if (api.responseHeaderVersion((short) version) > 0) {
                assertThat(bytes.get()).isZero(); // no tagged fields
            }
            answer.read(new ByteBufferAccessor(bytes), (short) version);
            return answer;
        }
    }

    private InitProducerIdResponseData init(boolean twoPhase, boolean keep) throws Exception {
        return ask(
                ApiKeys.INIT_PRODUCER_ID,
                INIT_VERSION,
                new InitProducerIdRequestData()
                        .setTransactionalId(id)
                        .setTransactionTimeoutMs(twoPhase ? Integer.MAX_VALUE : 1_000)
                        .setEnable2Pc(twoPhase)
                        .setKeepPreparedTxn(keep),
                new InitProducerIdResponseData());
    }

    private EndTxnResponseData end(long producerId, short epoch, boolean commit) throws Exception {
        return ask(
                ApiKeys.END_TXN,
                5,
                new EndTxnRequestData()
                        .setTransactionalId(id)
                        .setProducerId(producerId)
                        .setProducerEpoch(epoch)
                        .setCommitted(commit),
                new EndTxnResponseData());
    }

    private KafkaProducer<String, String> producer() {
        Map<String, Object> config = broker.clientConfig();
        config.put("transactional.id", id);
        config.put("max.block.ms", "20000");
        KafkaProducer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
        return producer;
    }

    /** Writes records as the resource adapter does: with the identity that it was given. */
    private Errors write(Producer producer, int sequence, String... values) throws Exception {
        SimpleRecord[] records = java.util.Arrays.stream(values)
                .map(value -> new SimpleRecord(value.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .toArray(SimpleRecord[]::new);
        ProduceRequestData request = new ProduceRequestData()
                .setTransactionalId(id)
                .setAcks((short) -1)
                .setTimeoutMs(10_000);
        request.topicData()
                .add(new TopicProduceData()
                        .setName(topic)
                        .setPartitionData(List.of(new PartitionProduceData()
                                .setIndex(0)
                                .setRecords(MemoryRecords.withTransactionalRecords(
                                        Compression.NONE, producer.id(), producer.epoch(), sequence, records)))));
        ProduceResponseData answer = ask(ApiKeys.PRODUCE, 12, request, new ProduceResponseData());
        return Errors.forCode(
                answer.responses().iterator().next().partitionResponses().get(0).errorCode());
    }

    private List<String> committed(int expected) {
        Map<String, Object> config = broker.clientConfig();
        config.put("isolation.level", "read_committed");
        config.put("auto.offset.reset", "earliest");
        List<String> values = new ArrayList<>();
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            for (int i = 0; i < 3 || (i < 200 && values.size() < expected); i++) {
                consumer.poll(Duration.ofMillis(50)).forEach(record -> values.add(record.value()));
            }
        }
        return values;
    }

    private TransactionState listed() throws Exception {
        return admin.listTransactions().all().get().stream()
                .filter(listing -> listing.transactionalId().equals(id))
                .findFirst()
                .map(TransactionListing::state)
                .orElse(null);
    }

    // ---- clients

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatDiedIsFollowedByOneThatEndsItsTransaction(boolean commit) throws Exception {
        InitProducerIdResponseData begun = init(true, false);
        Producer writer = new Producer(begun.producerId(), begun.producerEpoch());
        assertThat(begun.errorCode()).isZero();
        assertThat(begun.ongoingTxnProducerId()).isEqualTo(-1);
        assertThat(write(writer, 0, "a", "b")).isEqualTo(Errors.NONE);

        broker.crash();
        InitProducerIdResponseData kept =
                Awaitility.await().until(() -> init(true, true), answer -> answer.errorCode() == 0);

        assertThat(kept.ongoingTxnProducerId()).isEqualTo(writer.id());
        assertThat(kept.ongoingTxnProducerEpoch()).isEqualTo(writer.epoch());
        assertThat(committed(0)).isEmpty();
        assertThat(Errors.forCode(end(writer.id(), writer.epoch(), commit).errorCode()))
                .isEqualTo(Errors.PRODUCER_FENCED);
        EndTxnResponseData ended = end(kept.producerId(), kept.producerEpoch(), commit);
        assertThat(ended.errorCode()).isZero();
        Awaitility.await()
                .until(() -> listed() == (commit ? TransactionState.COMPLETE_COMMIT : TransactionState.COMPLETE_ABORT));
        assertThat(committed(commit ? 2 : 0)).hasSize(commit ? 2 : 0);
    }

    @Test
    void theTransactionOfAStockProducerIsTakenOverAndTheProducerIsFenced() throws Exception {
        try (KafkaProducer<String, String> producer = producer()) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "a")).get();

            InitProducerIdResponseData kept = init(true, true);

            assertThat(kept.ongoingTxnProducerId()).isEqualTo(kept.producerId());
            assertThat(admin.describeTransactions(List.of(id))
                            .description(id)
                            .get()
                            .transactionTimeoutMs())
                    .isEqualTo(Integer.MAX_VALUE);
            assertThatThrownBy(producer::commitTransaction).isInstanceOf(ProducerFencedException.class);
            assertThat(end(kept.producerId(), kept.producerEpoch(), true).errorCode())
                    .isZero();
        }
        assertThat(committed(1)).containsExactly("a");
    }

    @Test
    void versionSixIsAdvertisedBecauseTwoPhaseCommitIsEnabled() throws Exception {
        ApiVersionsResponseData versions =
                ask(ApiKeys.API_VERSIONS, 0, new ApiVersionsRequestData(), new ApiVersionsResponseData());
        assertThat(versions.apiKeys().find(ApiKeys.INIT_PRODUCER_ID.id).maxVersion())
                .isEqualTo(INIT_VERSION);
    }

    // ---- the resource adapter

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPreparedTransactionOutlivesACrashAndIsDecidedById(boolean commit) throws Exception {
        Producer writer = done(branches().begin(id, TIMEOUT_MS));
        assertThat(write(writer, 0, "a", "b")).isEqualTo(Errors.NONE);
        assertThat(done(branches().prepare(id, writer))).isEqualTo(Vote.PREPARED);

        broker.crash();

        Prepared prepared = done(branches().prepared()).get(0);
        assertThat(prepared.transactionalId()).isEqualTo(id);
        assertThat(prepared.producer()).isEqualTo(writer);
        assertThat(prepared.startedMs()).isBetween(1L, prepared.preparedMs());
        assertThat(listed()).isEqualTo(TransactionState.ONGOING);
        assertThat(new NodeViews(broker.node(), "").transactions())
                .filteredOn(view -> view.id().equals(id))
                .singleElement()
                .satisfies(view -> {
                    assertThat(view.state()).isEqualTo("Prepared");
                    assertThat(view.producerId()).isEqualTo(writer.id());
                    assertThat(view.timeoutMs()).isEqualTo(-1);
                    assertThat(view.partitions()).containsExactly(topic + "-0");
                });
        assertThat(committed(0)).isEmpty();

        done(commit ? branches().commit(id) : branches().abort(id));
        assertThat(committed(commit ? 2 : 0)).hasSize(commit ? 2 : 0);
        assertThat(done(branches().prepared())).isEmpty();
        // and the next transaction of the id
        Producer next = done(branches().begin(id, TIMEOUT_MS));
        assertThat(write(next, 0, "c")).isEqualTo(Errors.NONE);
        done(branches().end(id, next, true));
        assertThat(committed(commit ? 3 : 1)).endsWith("c");
    }

    @Test
    void whoBeginsIsFencedByWhoBeginsAfterHimUnlessHeHasPrepared() throws Exception {
        Producer first = done(branches().begin(id, TIMEOUT_MS));
        write(first, 0, "a");
        Producer second = done(branches().begin(id, TIMEOUT_MS));

        assertThat(write(first, 1, "b")).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
        assertThatThrownBy(() -> done(branches().prepare(id, first))).hasCauseInstanceOf(ProducerFencedException.class);
        assertThat(write(second, 0, "c")).isEqualTo(Errors.NONE);
        done(branches().prepare(id, second));
        assertThatThrownBy(() -> done(branches().begin(id, TIMEOUT_MS)))
                .hasCauseInstanceOf(InvalidTxnStateException.class);
        done(branches().commit(id));
        assertThat(committed(1)).containsExactly("c");
    }

    @Test
    void aTransactionThatWasNotPreparedWhenItsOwnerDiedIsAbortedByTime() throws Exception {
        Producer writer = done(branches().begin(id, 1_000));
        assertThat(write(writer, 0, "a")).isEqualTo(Errors.NONE);

        broker.crash();

        assertThat(done(branches().prepared())).isEmpty();
        Awaitility.await().until(() -> listed() == TransactionState.COMPLETE_ABORT);
        assertThatThrownBy(() -> done(branches().prepare(id, writer)))
                .hasCauseInstanceOf(ProducerFencedException.class);
        assertThat(committed(0)).isEmpty();
    }

    @Test
    void anOperatorAbortsAPreparedTransactionByForce() throws Exception {
        Producer writer = done(branches().begin(id, TIMEOUT_MS));
        write(writer, 0, "a");
        done(branches().prepare(id, writer));

        admin.forceTerminateTransaction(id).result().get();

        assertThat(done(branches().prepared())).isEmpty();
        assertThatThrownBy(() -> done(branches().commit(id))).hasCauseInstanceOf(InvalidTxnStateException.class);
        assertThat(committed(0)).isEmpty();
    }

    @Test
    void aLateBatchOfWhoPreparedIsStillTakenAndDecidedWithTheRest() throws Exception {
        Producer writer = done(branches().begin(id, TIMEOUT_MS));
        write(writer, 0, "a");
        done(branches().prepare(id, writer));

        assertThat(write(writer, 1, "late")).isEqualTo(Errors.NONE); // a partition that is in does not ask

        done(branches().commit(id));
        assertThat(committed(2)).containsExactly("a", "late");
        assertThat(write(writer, 2, "later")).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
    }

    @Test
    void aStockClientTakesTheIdOverAndAbortsWhatWasPrepared() throws Exception {
        Producer writer = done(branches().begin(id, TIMEOUT_MS));
        write(writer, 0, "a");
        done(branches().prepare(id, writer));

        try (KafkaProducer<String, String> producer = producer()) {
            producer.initTransactions();
        }
        assertThat(done(branches().prepared())).isEmpty();
        assertThat(committed(0)).isEmpty();
    }
}
