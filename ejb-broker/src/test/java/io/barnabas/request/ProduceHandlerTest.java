package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogConfig.Durability;
import io.barnabas.wire.FormerProduceResponse;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProduceHandlerTest {
    private static final int MAGIC_OFFSET = 16;
    /** Longer than a Produce waits for the transaction before to end. */
    private static final int RETRY_MS = 120;

    private final DataPathFixture broker = new DataPathFixture();

    private static PartitionProduceResponse only(RecordedAnswer answer) {
        return answer.body(ProduceResponseData.class)
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .get(0);
    }

    @Test
    void answersAtOnceWithTheOffsetsThatBatchesGot() {
        // Given
        broker.createTopic("t", 1);
        broker.produce("t", 0, -1, DataPathFixture.records("a", "b"));
        // When
        RecordedAnswer answer = broker.produce("t", 0, -1, DataPathFixture.records("c"));
        // Then
        assertThat(only(answer).errorCode()).isZero();
        assertThat(only(answer).baseOffset()).isEqualTo(2);
        assertThat(only(answer).logAppendTimeMs()).isEqualTo(-1);
        assertThat(broker.metrics.of(ApiKeys.PRODUCE).requests()).isEqualTo(2);
        assertThat(broker.metrics.of(ApiKeys.PRODUCE).errors()).isEmpty();
    }

    @Test
    void everyVersionCanBeAnswered() {
        broker.createTopic("t", 1);
        for (short version = ApiKeys.PRODUCE.oldestVersion(); version <= ApiKeys.PRODUCE.latestVersion(); version++) {
            ProduceRequestData request = DataPathFixture.produceRequest("t", 0, 1, DataPathFixture.records("a"));
            if (version >= 13) {
                request.topicData().iterator().next().setName("").setTopicId(new Uuid(7, "t".hashCode()));
            }
            RecordedAnswer answer = broker.send(ApiKeys.PRODUCE, version, request);
            assertThat(only(answer).errorCode()).as("version %s", version).isZero();
            assertThat(answer.bytes(version).buffer().remaining()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(shorts = {0, 1, 2})
    void aVersionThatIsAdvertisedAndNotServedIsAnsweredWithItsErrorAndAppendsNothing(short version) {
        // Given
        broker.createTopic("t", 1);
        ProduceRequestData request = DataPathFixture.produceRequest("t", 0, 1, DataPathFixture.records("a"));
        // When
        RecordedAnswer answer = broker.send(ApiKeys.PRODUCE, version, request);
        // Then
        PartitionProduceResponse partition = answer.body(FormerProduceResponse.class)
                .data()
                .responses()
                .find("t", Uuid.ZERO_UUID)
                .partitionResponses()
                .get(0);
        assertThat(partition.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(partition.baseOffset()).isEqualTo(-1);
        assertThat(broker.metrics.of(ApiKeys.PRODUCE).errors()).containsEntry(Errors.UNSUPPORTED_VERSION, 1L);
        assertThat(only(broker.produce("t", 0, 1, DataPathFixture.records("b"))).baseOffset())
                .isZero();
    }

    @Test
    void suchAVersionWithoutAcknowledgementsClosesTheConnection() {
        ProduceRequestData request = DataPathFixture.produceRequest("t", 0, 0, DataPathFixture.records("a"));
        assertThat(broker.send(ApiKeys.PRODUCE, 0, request).closed()).isTrue();
    }

    @Test
    void aPartitionThatIsUnknownFailsAloneWithItsError() {
        // Given
        broker.createTopic("t", 1);
        ProduceRequestData request = DataPathFixture.produceRequest("t", 0, 1, DataPathFixture.records("a"));
        request.topicData()
                .iterator()
                .next()
                .setPartitionData(List.of(
                        new ProduceRequestData.PartitionProduceData()
                                .setIndex(0)
                                .setRecords(DataPathFixture.records("a")),
                        new ProduceRequestData.PartitionProduceData()
                                .setIndex(5)
                                .setRecords(DataPathFixture.records("a"))));
        // When
        var partitions = broker.send(ApiKeys.PRODUCE, 11, request)
                .body(ProduceResponseData.class)
                .responses()
                .iterator()
                .next()
                .partitionResponses();
        // Then
        assertThat(partitions.get(0).errorCode()).isZero();
        assertThat(partitions.get(1).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        assertThat(broker.metrics.of(ApiKeys.PRODUCE).errors()).containsEntry(Errors.UNKNOWN_TOPIC_OR_PARTITION, 1L);
    }

    @Test
    void anIdThatNoTopicHasIsUnknown() {
        ProduceRequestData request = DataPathFixture.produceRequest("", 0, 1, DataPathFixture.records("a"));
        request.topicData().iterator().next().setTopicId(new Uuid(9, 9));
        assertThat(only(broker.send(ApiKeys.PRODUCE, 13, request)).errorCode())
                .isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
    }

    @Test
    void acksOtherThanAllOneAndNoneAreRefused() {
        broker.createTopic("t", 1);
        assertThat(only(broker.produce("t", 0, 2, DataPathFixture.records("a"))).errorCode())
                .isEqualTo(Errors.INVALID_REQUIRED_ACKS.code());
        assertThat(broker.logs.of("t", 0).logEndOffset()).isZero();
    }

    @Test
    void acksNoneHasNoAnswerAndClosesTheConnectionOnAnError() {
        broker.createTopic("t", 1);
        assertThat(broker.produce("t", 0, 0, DataPathFixture.records("a")).nothing())
                .isTrue();
        assertThat(broker.produce("nowhere", 0, 0, DataPathFixture.records("a")).closed())
                .isTrue();
    }

    @Test
    void internalTopicsTakeRecordsOfTheAdminClientOnly() {
        broker.createTopic("__consumer_offsets", 1);
        assertThat(only(broker.produce("__consumer_offsets", 0, 1, DataPathFixture.records("a")))
                        .errorCode())
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION.code());
    }

    private static MemoryRecords transactional(ProducerIdentity producer) {
        return MemoryRecords.withTransactionalRecords(
                Compression.NONE, producer.id(), producer.epoch(), 0, new SimpleRecord(new byte[1]));
    }

    private Errors produceInTransaction(int version, String topic, ProducerIdentity producer) {
        ProduceRequestData request = DataPathFixture.produceRequest(topic, 0, -1, transactional(producer));
        if (version >= 13) {
            request.topicData()
                    .forEach(t ->
                            t.setTopicId(broker.metadata.image().topic(topic).id()));
        }
        return Errors.forCode(only(broker.send(ApiKeys.PRODUCE, version, request.setTransactionalId("x")))
                .errorCode());
    }

    @Test
    void transactionalRecordsOutsideOfATransactionAreRefused() {
        // Given
        broker.createTopic("t", 1);
        ProducerIdentity producer = broker.transactions.init("x");
        ProducerIdentity fenced = new ProducerIdentity(producer.id(), (short) (producer.epoch() + 1));
        ProducerIdentity unknown = new ProducerIdentity(3, (short) 0);
        // When, Then
        assertThat(produceInTransaction(10, "t", producer)).isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(produceInTransaction(11, "t", producer)).isEqualTo(Errors.TRANSACTION_ABORTABLE);
        assertThat(produceInTransaction(11, "t", fenced)).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
        assertThat(produceInTransaction(12, "t", unknown)).isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
        assertThat(only(broker.produce("t", 0, -1, transactional(producer))).errorCode())
                .isEqualTo(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code());
    }

    @Test
    void aPartitionThatJoinedItsTransactionIsWrittenTo() {
        broker.createTopic("t", 1);
        ProducerIdentity producer = broker.transactions.init("x");
        broker.transactions.add("x", producer, (short) 0, new TopicPartition("t", 0));

        assertThat(produceInTransaction(9, "t", producer)).isEqualTo(Errors.NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {12, 13})
    void aPartitionJoinsItsTransactionWithTheFirstRecord(int version) {
        broker.createTopic("t", 1);
        ProducerIdentity producer = broker.transactions.init("x");

        assertThat(produceInTransaction(version, "t", producer)).isEqualTo(Errors.NONE);
        assertThat(broker.transactions.add("x", producer, (short) 2, new TopicPartition("t", 0)))
                .isEqualTo(Errors.NONE);
    }

    @Test
    void withoutACoordinatorTransactionalRecordsAreSentAgain() {
        broker.createTopic("t", 1);
        ProducerIdentity producer = broker.transactions.init("x");
        broker.transactions.transactions.onResigned(0);

        assertThat(produceInTransaction(12, "t", producer)).isEqualTo(Errors.NOT_ENOUGH_REPLICAS);
    }

    @Test
    void recordsDoNotOvertakeThoseThatWaitForTheTransactionBeforeToEnd() {
        // Given: markers of the producer's last transaction are still being written
        broker.createTopic("t", 1);
        ProducerIdentity first = broker.transactions.init("x");
        TopicPartition partition = new TopicPartition("t", 0);
        broker.transactions.add("x", first, (short) 2, partition);
        broker.transactions.holdMarkers = true;
        ProducerIdentity producer =
                broker.transactions.end("x", first, true, (short) 2).producer();
        TestConnection connection = broker.connection();
        RecordedAnswer[] answers = new RecordedAnswer[3];
        // When: it pipelines, and the transaction can begin before the last of them
        for (int sequence = 0; sequence < answers.length; sequence++) {
            if (sequence == answers.length - 1) {
                broker.transactions.releaseMarkers();
                broker.transactions.add("x", producer, (short) 2, partition);
            }
            MemoryRecords records = MemoryRecords.withTransactionalRecords(
                    Compression.NONE, producer.id(), producer.epoch(), sequence, new SimpleRecord(new byte[1]));
            answers[sequence] = broker.send(
                    ApiKeys.PRODUCE,
                    12,
                    DataPathFixture.produceRequest("t", 0, -1, records).setTransactionalId("x"),
                    connection);
        }
        assertThat(broker.logs.of("t", 0).logEndOffset()).isZero();
        broker.ticker.advance(1_000);
        // Then
        for (int sequence = 0; sequence < answers.length; sequence++) {
            assertThat(Errors.forCode(only(answers[sequence]).errorCode())).isEqualTo(Errors.NONE);
            assertThat(only(answers[sequence]).baseOffset()).isEqualTo(sequence);
        }
    }

    @Test
    void whatIsProducedWhileThePartitionIsBeingOpenedWaitsInItsOrder() {
        // Given
        Queue<Runnable> later = new ArrayDeque<>();
        broker.followers = later::add;
        broker.createTopic("t", 1);
        TestConnection connection = broker.connection();
        RecordedAnswer[] answers = new RecordedAnswer[3];
        for (int i = 0; i < answers.length; i++) {
            MemoryRecords records = DataPathFixture.records("value " + i);
            ProduceRequestData request = DataPathFixture.produceRequest("t", 0, -1, records);
            answers[i] = broker.send(ApiKeys.PRODUCE, 11, request, connection);
            Arrays.fill(records.buffer().array(), (byte) -1); // the frame's buffer is used for the next frame
            assertThat(answers[i].given()).isFalse();
        }
        // When
        later.remove().run();
        // Then
        for (int i = 0; i < answers.length; i++) {
            assertThat(Errors.forCode(only(answers[i]).errorCode())).isEqualTo(Errors.NONE);
            assertThat(only(answers[i]).baseOffset()).isEqualTo(i);
        }
        assertThat(connection.keptBytes()).isZero();
    }

    @Test
    void whatIsProducedWaitsForAPartitionNoLongerThanItsTimeOut() {
        // Given
        broker.followers = task -> {};
        broker.createTopic("t", 1);
        RecordedAnswer answer = broker.produce("t", 0, -1, DataPathFixture.records("value"));
        assertThat(answer.given()).isFalse();
        // When
        broker.ticker.advance(1_000);
        // Then
        assertThat(Errors.forCode(only(answer).errorCode())).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void whatIsProducedToAnotherPartitionDoesNotWaitForTheOneThatIsBeingOpened() {
        // Given
        broker.createTopic("t", 1);
        broker.followers = task -> {};
        broker.createTopic("u", 1);
        // When
        RecordedAnswer answer = broker.produce("t", 0, -1, DataPathFixture.records("value"));
        // Then
        assertThat(Errors.forCode(only(answer).errorCode())).isEqualTo(Errors.NONE);
    }

    @Test
    void recordsThatWaitAreCopiedOnceAndCountedUntilTheyAreAppended() {
        // Given: the transaction before takes so long to end that the first request gives up, and the second waits in
        // its turn
        broker.createTopic("t", 1);
        ProducerIdentity first = broker.transactions.init("x");
        broker.transactions.add("x", first, (short) 2, new TopicPartition("t", 0));
        TestConnection connection = broker.connection();
        broker.transactions.holdMarkers = true;
        ProducerIdentity producer =
                broker.transactions.end("x", first, true, (short) 2).producer();
        // When
        RecordedAnswer refused = send(transactional(producer), connection);
        MemoryRecords records = transactional(producer);
        int bytes = records.sizeInBytes();
        RecordedAnswer appended = send(records, connection);
        Arrays.fill(records.buffer().array(), (byte) -1); // the frame's buffer is used for the next frame
        // Then
        assertThat(connection.keptBytes()).isEqualTo(2L * bytes);
        broker.transactions.advance(RETRY_MS);
        broker.ticker.advance(RETRY_MS);
        assertThat(Errors.forCode(only(refused).errorCode())).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        assertThat(appended.given()).isFalse();
        assertThat(connection.keptBytes()).isEqualTo(bytes);
        broker.transactions.releaseMarkers();
        broker.ticker.advance(RETRY_MS);
        assertThat(Errors.forCode(only(appended).errorCode())).isEqualTo(Errors.NONE);
        assertThat(connection.keptBytes()).isZero();
        assertThat(connection.everKeptBytes()).isEqualTo(2L * bytes);
    }

    @Test
    void recordsThatNeedNotWaitAreNotCopied() {
        broker.createTopic("t", 1);
        TestConnection connection = broker.connection();

        RecordedAnswer answer = send(transactional(broker.transactions.init("x")), connection);

        assertThat(Errors.forCode(only(answer).errorCode())).isEqualTo(Errors.NONE);
        assertThat(connection.everKeptBytes()).isZero();
    }

    private RecordedAnswer send(MemoryRecords records, TestConnection connection) {
        return broker.send(
                ApiKeys.PRODUCE,
                12,
                DataPathFixture.produceRequest("t", 0, -1, records).setTransactionalId("x"),
                connection);
    }

    @Test
    void oneRequestHasOneProducersTransaction() {
        broker.createTopic("t", 1);
        broker.createTopic("u", 1);
        ProducerIdentity producer = broker.transactions.init("x");
        ProduceRequestData request = DataPathFixture.produceRequest("t", 0, -1, transactional(producer));
        ProduceRequestData another = DataPathFixture.produceRequest(
                "u", 0, -1, transactional(new ProducerIdentity(producer.id() + 1, (short) 0)));
        request.topicData().add(another.topicData().iterator().next().duplicate());

        assertThat(only(broker.send(ApiKeys.PRODUCE, 11, request.setTransactionalId("x")))
                        .errorCode())
                .isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING.code());
    }

    @Test
    void bytesOfAnOldFormatAreNoTransactionalBatch() {
        // Given
        broker.createTopic("t", 1);
        ByteBuffer old = transactional(new ProducerIdentity(3, (short) 0)).buffer();
        old.put(MAGIC_OFFSET, RecordBatch.MAGIC_VALUE_V1);
        // When
        RecordedAnswer answer = broker.produce("t", 0, -1, MemoryRecords.readableRecords(old));
        // Then
        assertThat(only(answer).errorCode()).isEqualTo(Errors.INVALID_RECORD.code());
    }

    @Test
    void twoBatchesForAPartitionAreRefused() {
        broker.createTopic("t", 1);
        var one = DataPathFixture.records("a").buffer();
        var two = java.nio.ByteBuffer.allocate(one.remaining() * 2)
                .put(one.duplicate())
                .put(one.duplicate())
                .flip();
        assertThat(only(broker.produce("t", 0, 1, MemoryRecords.readableRecords(two)))
                        .errorCode())
                .isEqualTo(Errors.INVALID_RECORD.code());
    }

    @Test
    void zstdBeforeVersion7IsRefused() {
        broker.createTopic("t", 1);
        MemoryRecords records = MemoryRecords.withRecords(Compression.zstd().build(), new SimpleRecord(new byte[9]));
        var request = DataPathFixture.produceRequest("t", 0, 1, records);
        assertThat(only(broker.send(ApiKeys.PRODUCE, 6, request)).errorCode())
                .isEqualTo(Errors.UNSUPPORTED_COMPRESSION_TYPE.code());
    }

    @Test
    void acksAllWaitsForTheForceUnderFsync() {
        // Given
        broker.config = fsync();
        broker.createTopic("t", 1);
        // When
        RecordedAnswer all = broker.produce("t", 0, -1, DataPathFixture.records("a"));
        RecordedAnswer one = broker.produce("t", 0, 1, DataPathFixture.records("b"));
        // Then
        assertThat(one.given()).isTrue();
        assertThat(all.given()).isFalse();
        broker.logs.of("t", 0).force();
        assertThat(only(all).errorCode()).isZero();
        assertThat(broker.ticker.waiting()).isZero();
    }

    @Test
    void acksAllThatIsNotCommittedInTimeIsAnsweredSo() {
        broker.config = fsync();
        broker.createTopic("t", 1);
        RecordedAnswer answer = broker.produce("t", 0, -1, DataPathFixture.records("a"));
        broker.ticker.advance(1_000);
        assertThat(only(answer).errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    }

    @Test
    void aTimeOutIsAnsweredOnTheConnectionsEventLoopNotOnTheTickersThread() {
        broker.config = fsync();
        broker.createTopic("t", 1);
        TestConnection connection = broker.connection().holdEventLoop();
        RecordedAnswer answer = broker.send(
                ApiKeys.PRODUCE,
                11,
                DataPathFixture.produceRequest("t", 0, -1, DataPathFixture.records("a")),
                connection);
        broker.ticker.advance(1_000);
        assertThat(answer.given()).isFalse();
        connection.runEventLoop();
        assertThat(only(answer).errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    }

    @Test
    void aFailedDirectoryFailsItsPartitionsAndThoseWhoWait() {
        // Given
        broker.config = fsync();
        broker.createTopic("t", 1);
        RecordedAnswer waiting = broker.produce("t", 0, -1, DataPathFixture.records("a"));
        // When
        broker.logs.fail();
        // Then
        assertThat(only(waiting).errorCode()).isEqualTo(Errors.KAFKA_STORAGE_ERROR.code());
        assertThat(only(broker.produce("t", 0, 1, DataPathFixture.records("b"))).errorCode())
                .isEqualTo(Errors.KAFKA_STORAGE_ERROR.code());
    }

    private static LogConfig fsync() {
        LogConfig d = LogConfig.defaults();
        return with(d, d.minInsyncReplicas(), Durability.FSYNC);
    }

    /** The settings with another number of replicas that acks=all asks for. */
    static LogConfig withMinInsyncReplicas(LogConfig d, int least) {
        return with(d, least, d.durability());
    }

    private static LogConfig with(LogConfig d, int minInsyncReplicas, Durability durability) {
        return new LogConfig(
                d.segmentBytes(),
                d.segmentMs(),
                d.segmentJitterMs(),
                d.segmentIndexBytes(),
                d.indexIntervalBytes(),
                d.retentionMs(),
                d.retentionBytes(),
                d.compact(),
                d.delete(),
                d.deleteRetentionMs(),
                d.minCleanableDirtyRatio(),
                d.minCompactionLagMs(),
                d.maxCompactionLagMs(),
                d.fileDeleteDelayMs(),
                d.flushMessages(),
                d.flushMs(),
                d.maxMessageBytes(),
                d.maxDecompressedMessageBytes(),
                d.compressionType(),
                d.gzipLevel(),
                d.lz4Level(),
                d.zstdLevel(),
                d.messageTimestampType(),
                d.messageTimestampBeforeMaxMs(),
                d.messageTimestampAfterMaxMs(),
                minInsyncReplicas,
                durability);
    }
}
