package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.MemoryPartitionWriter;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.coordinator.group.TestConsumerGroups;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.partition.LocalMarkers;
import io.barnabas.wire.RequestFrame;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnPartitionResult;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The transaction APIs in every version: that the answer can be written, and how old versions differ. */
class TransactionHandlersTest {
    private static final Map<ApiKeys, IntFunction<ApiMessage>> REQUESTS = Map.of(
            ApiKeys.INIT_PRODUCER_ID,
                    version -> new InitProducerIdRequestData()
                            .setTransactionalId("x")
                            .setTransactionTimeoutMs(1_000),
            ApiKeys.ADD_PARTITIONS_TO_TXN, version -> addPartitions(version, new ProducerIdentity(1, (short) 0), "t"),
            ApiKeys.ADD_OFFSETS_TO_TXN,
                    version -> new AddOffsetsToTxnRequestData()
                            .setTransactionalId("x")
                            .setGroupId("g"),
            ApiKeys.END_TXN, version -> new EndTxnRequestData().setTransactionalId("x"),
            ApiKeys.TXN_OFFSET_COMMIT, version -> commit(version, new ProducerIdentity(1, (short) 0)),
            ApiKeys.WRITE_TXN_MARKERS, version -> marker("t"),
            ApiKeys.DESCRIBE_TRANSACTIONS,
                    version -> new DescribeTransactionsRequestData().setTransactionalIds(List.of("x", "")),
            ApiKeys.LIST_TRANSACTIONS, version -> new ListTransactionsRequestData().setStateFilters(List.of("Empty")));

    private final DataPathFixture broker = new DataPathFixture();
    private final MemoryPartitionWriter log = new MemoryPartitionWriter();
    private final GroupCoordinator groups = new GroupCoordinator(
            GroupCoordinatorSettings.defaults(),
            TestConsumerGroups::defaults,
            new Environment(broker.ticker, broker.ticker, Runnable::run, log),
            new GroupCoordinator.Cluster(() -> 1, broker.metadata::image),
            name -> name + "-x");
    private final Uuid topicId = broker.createTopic("t", 1);
    private final HandlerRegistry handlers = new HandlerRegistry()
            .add(TransactionHandlers.all(
                    new TransactionHandlers.Parts(
                            broker.transactions.transactions,
                            groups,
                            broker.metadata.metadata(),
                            broker.transactions.enlistment(broker.ticker),
                            new LocalMarkers(broker.partitions, groups, broker.ticker)),
                    plane()));

    TransactionHandlersTest() {
        groups.onElected(0, 0);
        broker.createTopic("__consumer_offsets", 1);
    }

    private ControlPlane plane() {
        LiveConfig config = new LiveConfig(BrokerConfig.of(Map.of()));
        return new ControlPlane(
                TestMetadata.NODE_ID,
                broker.metadata.metadata(),
                broker.metadata.controller(),
                AtTheController.nothingIsForwarded(),
                config,
                ControlPlane.Rules.of(config, Policies.NONE, new Random(1)),
                () -> CompletableFuture.completedFuture(7_000L),
                listener -> 9092,
                new ControlPlane.Time(broker.ticker, broker.ticker));
    }

    private static AddPartitionsToTxnRequestData addPartitions(
            int version, ProducerIdentity producer, String... topicNames) {
        AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
        for (String name : topicNames) {
            topics.add(new AddPartitionsToTxnTopic().setName(name).setPartitions(List.of(0)));
        }
        if (version < 4) {
            return new AddPartitionsToTxnRequestData()
                    .setV3AndBelowTransactionalId("x")
                    .setV3AndBelowProducerId(producer.id())
                    .setV3AndBelowProducerEpoch(producer.epoch())
                    .setV3AndBelowTopics(topics);
        }
        AddPartitionsToTxnRequestData request = new AddPartitionsToTxnRequestData();
        request.transactions()
                .add(new AddPartitionsToTxnTransaction()
                        .setTransactionalId("x")
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setTopics(topics));
        return request;
    }

    private static TxnOffsetCommitRequestData commit(int version, ProducerIdentity producer) {
        TxnOffsetCommitRequestTopic topic = new TxnOffsetCommitRequestTopic()
                .setPartitions(List.of(
                        new TxnOffsetCommitRequestPartition()
                                .setPartitionIndex(0)
                                .setCommittedOffset(7),
                        new TxnOffsetCommitRequestPartition()
                                .setPartitionIndex(9)
                                .setCommittedOffset(7)));
        if (version >= 6) {
            topic.setTopicId(new Uuid(7, "t".hashCode()));
        } else {
            topic.setName("t");
        }
        return new TxnOffsetCommitRequestData()
                .setTransactionalId("x")
                .setGroupId("g")
                .setProducerId(producer.id())
                .setProducerEpoch(producer.epoch())
                .setTopics(List.of(topic));
    }

    private static WriteTxnMarkersRequestData marker(String topic) {
        return new WriteTxnMarkersRequestData()
                .setMarkers(List.of(new WritableTxnMarker()
                        .setProducerId(1)
                        .setProducerEpoch((short) 0)
                        .setTopics(List.of(
                                new WritableTxnMarkerTopic().setName(topic).setPartitionIndexes(List.of(0))))));
    }

    @SuppressWarnings("unchecked")
    private <T extends ApiMessage> T send(ApiKeys api, int version, ApiMessage request, Class<T> type) {
        ApiMessage received = api.messageType.newRequest();
        received.read(MessageUtil.toByteBufferAccessor(request, (short) version), (short) version);
        RecordedAnswer answer = new RecordedAnswer();
        ((ApiHandler<ApiMessage>) handlers.handler(api, (short) version, "PLAINTEXT"))
                .handle(
                        received,
                        new RequestContext(
                                new RequestFrame(api, (short) version, 1, "c", received, 1, 0), broker.connection()),
                        answer);
        ApiMessage response = api.messageType.newResponse();
        var bytes = answer.bytes((short) version);
        response.read(bytes, (short) version);
        assertThat(bytes.remaining()).as("%s %s", api, version).isZero();
        return type.cast(response);
    }

    static Stream<Arguments> everyVersion() {
        return REQUESTS.keySet().stream()
                .flatMap(api -> IntStream.rangeClosed(api.oldestVersion(), api.latestVersion(false))
                        .mapToObj(version -> Arguments.of(api, version)));
    }

    @ParameterizedTest
    @MethodSource
    void everyVersion(ApiKeys api, int version) {
        send(api, version, REQUESTS.get(api).apply(version), ApiMessage.class);
    }

    // ---- who the producer is

    private InitProducerIdResponseData init(int version, InitProducerIdRequestData request) {
        return send(ApiKeys.INIT_PRODUCER_ID, version, request, InitProducerIdResponseData.class);
    }

    @Test
    void idempotentProducersGetAnIdWithoutATransaction() {
        InitProducerIdResponseData given = init(5, new InitProducerIdRequestData().setTransactionalId(null));
        InitProducerIdResponseData half =
                init(5, new InitProducerIdRequestData().setTransactionalId(null).setProducerId(5));

        assertThat(given.producerId()).isEqualTo(7_000);
        assertThat(given.producerEpoch()).isZero();
        assertThat(half.errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
        assertThat(init(5, new InitProducerIdRequestData().setTransactionalId(""))
                        .errorCode())
                .isEqualTo(Errors.INVALID_REQUEST.code());
    }

    @Test
    void twoPhaseCommitIsNotForClientsUnlessItIsEnabled() {
        InitProducerIdRequestData request =
                new InitProducerIdRequestData().setTransactionalId("x").setTransactionTimeoutMs(1_000);

        assertThat(init(6, request.duplicate().setEnable2Pc(true)).errorCode())
                .isEqualTo(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code());
        InitProducerIdResponseData kept = init(6, request.duplicate().setKeepPreparedTxn(true));
        assertThat(kept.errorCode()).isZero();
        assertThat(kept.ongoingTxnProducerId()).isEqualTo(-1);
        assertThat(handlers.served("PLAINTEXT"))
                .filteredOn(served -> served.apiKey() == ApiKeys.INIT_PRODUCER_ID.id)
                .singleElement()
                .satisfies(served -> assertThat(served.maxVersion()).isEqualTo((short) 5));
    }

    @ParameterizedTest
    @CsvSource({"3, INVALID_PRODUCER_EPOCH", "4, PRODUCER_FENCED"})
    void aFencedProducerIsToldInWordsOfItsVersion(int version, Errors expected) {
        broker.transactions.init("x");

        assertThat(init(
                                version,
                                new InitProducerIdRequestData()
                                        .setTransactionalId("x")
                                        .setTransactionTimeoutMs(1_000)
                                        .setProducerId(5)
                                        .setProducerEpoch((short) 0))
                        .errorCode())
                .isEqualTo(expected.code());
    }

    // ---- partitions

    private List<AddPartitionsToTxnPartitionResult> added(int version, AddPartitionsToTxnRequestData request) {
        AddPartitionsToTxnResponseData response =
                send(ApiKeys.ADD_PARTITIONS_TO_TXN, version, request, AddPartitionsToTxnResponseData.class);
        var topics = version < 4
                ? response.resultsByTopicV3AndBelow()
                : response.resultsByTransaction().find("x").topicResults();
        return topics.stream()
                .sorted(java.util.Comparator.comparing(topic -> topic.name()))
                .flatMap(topic -> topic.resultsByPartition().stream())
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"1, INVALID_PRODUCER_EPOCH", "2, PRODUCER_FENCED", "5, PRODUCER_FENCED"})
    void partitionsOfAFencedProducerAreRefused(int version, Errors expected) {
        ProducerIdentity old = broker.transactions.init("x");
        ProducerIdentity present = broker.transactions.init("x");

        assertThat(added(version, addPartitions(version, old, "t")))
                .extracting(result -> Errors.forCode(result.partitionErrorCode()))
                .containsExactly(expected);
        assertThat(added(version, addPartitions(version, present, "t")))
                .extracting(result -> Errors.forCode(result.partitionErrorCode()))
                .containsExactly(Errors.NONE);
    }

    @Test
    void onePartitionThatIsNotThereFailsTheOthers() {
        ProducerIdentity producer = broker.transactions.init("x");

        assertThat(added(3, addPartitions(3, producer, "t", "u")))
                .extracting(result -> Errors.forCode(result.partitionErrorCode()))
                .containsExactly(Errors.OPERATION_NOT_ATTEMPTED, Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void aBrokerAsksWhetherPartitionsHaveJoined() {
        ProducerIdentity producer = broker.transactions.init("x");
        AddPartitionsToTxnRequestData request = addPartitions(5, producer, "t");
        request.transactions().forEach(transaction -> transaction.setVerifyOnly(true));

        assertThat(added(5, request))
                .extracting(result -> Errors.forCode(result.partitionErrorCode()))
                .containsExactly(Errors.TRANSACTION_ABORTABLE);
        broker.transactions.add("x", producer, (short) 0, new TopicPartition("t", 0));
        assertThat(added(5, request))
                .extracting(result -> Errors.forCode(result.partitionErrorCode()))
                .containsExactly(Errors.NONE);
    }

    // ---- ends

    private EndTxnResponseData end(int version, ProducerIdentity producer) {
        return send(
                ApiKeys.END_TXN,
                version,
                new EndTxnRequestData()
                        .setTransactionalId("x")
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setCommitted(true),
                EndTxnResponseData.class);
    }

    @Test
    void theEndBringsANewEpochFromVersionFiveOn() {
        ProducerIdentity producer = broker.transactions.init("x");
        broker.transactions.add("x", producer, (short) 2, new TopicPartition("t", 0));

        EndTxnResponseData ended = end(5, producer);

        assertThat(ended.errorCode()).isZero();
        assertThat(ended.producerId()).isEqualTo(producer.id());
        assertThat(ended.producerEpoch()).isOne();
        assertThat(end(1, producer).errorCode()).isEqualTo(Errors.INVALID_PRODUCER_EPOCH.code());
        assertThat(end(4, producer).errorCode()).isEqualTo(Errors.PRODUCER_FENCED.code());
    }

    @Test
    void markersAreWrittenToWhatIsHere() {
        var here = send(ApiKeys.WRITE_TXN_MARKERS, 2, marker("t"), WriteTxnMarkersResponseData.class);
        var gone = send(ApiKeys.WRITE_TXN_MARKERS, 1, marker("u"), WriteTxnMarkersResponseData.class);
        var offsets =
                send(ApiKeys.WRITE_TXN_MARKERS, 2, marker("__consumer_offsets"), WriteTxnMarkersResponseData.class);

        assertThat(Stream.of(here, gone, offsets)
                        .map(answer -> Errors.forCode(answer.markers()
                                .get(0)
                                .topics()
                                .get(0)
                                .partitions()
                                .get(0)
                                .errorCode())))
                .containsExactly(Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.NONE);
        assertThat(broker.partitions.hosted("t", 0).log().logEndOffset()).isOne();
        assertThat(log.batches(new TopicPartition("__consumer_offsets", 0)))
                .singleElement()
                .satisfies(batch -> assertThat(batch.isControlBatch()).isTrue());
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 2"})
    void theLogJudgesAMarkerByTheTransactionVersionThatVersionTwoBrings(int version, short expected) {
        WriteTxnMarkersRequestData request = marker("t");
        request.markers().get(0).setTransactionVersion((byte) (version < 2 ? 0 : 2));

        send(ApiKeys.WRITE_TXN_MARKERS, version, request, WriteTxnMarkersResponseData.class);

        assertThat(broker.logs.of("t", 0).lastTerms().transactionVersion()).isEqualTo(expected);
    }

    // ---- offsets

    private long fetched(boolean stable) {
        var request = new OffsetFetchRequestGroup()
                .setGroupId("g")
                .setTopics(List.of(new OffsetFetchRequestTopics()
                        .setName("t")
                        .setTopicId(topicId)
                        .setPartitionIndexes(List.of(0))));
        var answer = groups.fetch(new io.barnabas.coordinator.group.ClientInfo((short) 10, "c", "h"), request, stable)
                .join()
                .topics()
                .get(0)
                .partitions()
                .get(0);
        return answer.errorCode() == 0 ? answer.committedOffset() : -answer.errorCode();
    }

    @ParameterizedTest
    @CsvSource({"2", "3", "4", "5", "6"})
    void offsetsCountFromTheMarkerOn(int version) {
        ProducerIdentity producer = broker.transactions.init("x");
        if (version < 5) {
            var joined = send(
                    ApiKeys.ADD_OFFSETS_TO_TXN,
                    3,
                    new AddOffsetsToTxnRequestData()
                            .setTransactionalId("x")
                            .setGroupId("g")
                            .setProducerId(producer.id())
                            .setProducerEpoch(producer.epoch()),
                    AddOffsetsToTxnResponseData.class);
            assertThat(joined.errorCode()).isZero();
        }
        var answer =
                send(ApiKeys.TXN_OFFSET_COMMIT, version, commit(version, producer), TxnOffsetCommitResponseData.class);

        assertThat(answer.topics().get(0).partitions())
                .extracting(partition -> Errors.forCode(partition.errorCode()))
                .containsExactlyInAnyOrder(Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(fetched(false)).isEqualTo(-1);
        assertThat(fetched(true)).isEqualTo(-Errors.UNSTABLE_OFFSET_COMMIT.code());
        groups.end(0, new io.barnabas.coordinator.TransactionMarker(producer.id(), producer.epoch(), 0, true, (short)
                        0))
                .join();
        assertThat(fetched(true)).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource({"5, UNKNOWN_TOPIC_OR_PARTITION", "6, UNKNOWN_TOPIC_ID"})
    void offsetsOfATopicThatIsNotThereAreRefused(int version, Errors expected) {
        TxnOffsetCommitRequestData request = commit(version, new ProducerIdentity(1, (short) 0));
        request.topics().forEach(topic -> topic.setName("nowhere").setTopicId(new Uuid(9, 9)));

        var answer = send(ApiKeys.TXN_OFFSET_COMMIT, version, request, TxnOffsetCommitResponseData.class);

        assertThat(answer.topics().stream().flatMap(topic -> topic.partitions().stream()))
                .isNotEmpty()
                .allSatisfy(partition ->
                        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(expected));
    }

    @ParameterizedTest
    @CsvSource({"3, INVALID_PRODUCER_EPOCH", "5, INVALID_PRODUCER_EPOCH"})
    void offsetsOfAFencedProducerAreRefused(int version, Errors expected) {
        ProducerIdentity old = broker.transactions.init("x");
        broker.transactions.init("x");
        log.askCoordinator(true);

        var answer = send(ApiKeys.TXN_OFFSET_COMMIT, version, commit(version, old), TxnOffsetCommitResponseData.class);

        assertThat(answer.topics().stream()
                        .flatMap(topic -> topic.partitions().stream())
                        .filter(partition -> partition.partitionIndex() == 0)
                        .map(partition -> Errors.forCode(partition.errorCode())))
                .containsExactly(expected);
    }
}
