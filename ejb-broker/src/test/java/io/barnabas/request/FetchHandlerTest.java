package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;

class FetchHandlerTest {
    private static final int MAX_WAIT_MS = 500;

    private final DataPathFixture broker = new DataPathFixture();

    /** A fetch of partitions of topic t by name, version 12. */
    private static FetchRequestData fetch(long offset, int... partitions) {
        List<FetchPartition> wanted = new ArrayList<>();
        for (int partition : partitions) {
            wanted.add(new FetchPartition()
                    .setPartition(partition)
                    .setFetchOffset(offset)
                    .setPartitionMaxBytes(1 << 20)
                    .setCurrentLeaderEpoch(-1)
                    .setLastFetchedEpoch(-1));
        }
        FetchRequestData request = new FetchRequestData()
                .setMaxWaitMs(MAX_WAIT_MS)
                .setMinBytes(1)
                .setMaxBytes(50 << 20)
                .setSessionEpoch(-1);
        if (partitions.length > 0) {
            request.topics().add(new FetchTopic().setTopic("t").setPartitions(wanted));
        }
        return request;
    }

    private RecordedAnswer send(FetchRequestData request) {
        return broker.send(ApiKeys.FETCH, 12, request);
    }

    private static List<PartitionData> partitions(RecordedAnswer answer) {
        List<PartitionData> all = new ArrayList<>();
        answer.body(FetchResponseData.class).responses().forEach(topic -> all.addAll(topic.partitions()));
        return all;
    }

    private static List<Integer> indexes(RecordedAnswer answer) {
        return partitions(answer).stream().map(PartitionData::partitionIndex).toList();
    }

    private int begin(int... partitions) {
        FetchRequestData first = fetch(0, partitions).setSessionEpoch(0).setMinBytes(0);
        return send(first).body(FetchResponseData.class).sessionId();
    }

    @Test
    void readsWhatWasProduced() {
        // Given
        broker.createTopic("t", 1);
        broker.produce("t", 0, 1, DataPathFixture.records("a", "b"));
        // When
        PartitionData data = partitions(send(fetch(0, 0))).get(0);
        // Then
        assertThat(data.errorCode()).isZero();
        assertThat(data.highWatermark()).isEqualTo(2);
        assertThat(data.lastStableOffset()).isEqualTo(2);
        assertThat(((MemoryRecords) data.records()).records()).hasSize(2);
    }

    @Test
    void aReaderOfCommittedRecordsIsShownNothingFromTheFirstOpenTransactionOn() {
        byte committed = IsolationLevel.READ_COMMITTED.id();
        broker.createTopic("t", 1);
        broker.produce("t", 0, 1, DataPathFixture.records("a"));
        broker.produce("t", 0, 1, DataPathFixture.records("b"));
        broker.logs.of("t", 0).transactionOpenFrom(1);

        PartitionData data =
                partitions(send(fetch(0, 0).setIsolationLevel(committed))).get(0);
        assertThat(data.lastStableOffset()).isOne();
        assertThat(data.highWatermark()).isEqualTo(2);
        assertThat(((MemoryRecords) data.records()).records()).hasSize(1);
        PartitionData all = partitions(send(fetch(0, 0))).get(0);
        assertThat(((MemoryRecords) all.records()).records()).hasSize(2);
        // who has read so far waits
        int before = broker.logs.of("t", 0).reads();
        assertThat(send(fetch(1, 0).setIsolationLevel(committed)).given()).isFalse();
        assertThat(broker.logs.of("t", 0).reads()).isEqualTo(before);
    }

    @Test
    void everyVersionCanBeAnswered() {
        Uuid id = broker.createTopic("t", 1);
        broker.produce("t", 0, 1, DataPathFixture.records("a"));
        for (short version = ApiKeys.FETCH.oldestVersion(); version <= ApiKeys.FETCH.latestVersion(); version++) {
            FetchRequestData request = fetch(0, 0);
            if (version >= 13) {
                request.topics().get(0).setTopic("").setTopicId(id);
            }
            RecordedAnswer answer = broker.send(ApiKeys.FETCH, version, request);
            assertThat(partitions(answer).get(0).records().sizeInBytes())
                    .as("version %s", version)
                    .isPositive();
            assertThat(answer.bytes(version).buffer().remaining()).isPositive();
        }
    }

    @Test
    void waitsUntilAnAppendBringsEnoughBytes() {
        // Given
        broker.createTopic("t", 1);
        int size = DataPathFixture.records("a").sizeInBytes();
        RecordedAnswer answer = send(fetch(0, 0).setMinBytes(2 * size));
        // When
        broker.produce("t", 0, 1, DataPathFixture.records("a"));
        int readsBefore = broker.logs.of("t", 0).reads();
        // Then
        assertThat(answer.given()).isFalse();
        assertThat(readsBefore).isZero();
        broker.produce("t", 0, 1, DataPathFixture.records("b"));
        assertThat(partitions(answer).get(0).records().sizeInBytes()).isEqualTo(2 * size);
        assertThat(broker.ticker.waiting()).isZero();
    }

    @Test
    void answersWithNothingWhenTheWaitIsOver() {
        broker.createTopic("t", 1);
        RecordedAnswer answer = send(fetch(0, 0));
        broker.ticker.advance(MAX_WAIT_MS - 1);
        assertThat(answer.given()).isFalse();
        broker.ticker.advance(1);
        assertThat(partitions(answer).get(0).records().sizeInBytes()).isZero();
    }

    @Test
    void nobodyWaitsForAClosedConnection() {
        broker.createTopic("t", 1);
        TestConnection connection = broker.connection();
        RecordedAnswer answer = broker.send(ApiKeys.FETCH, 12, fetch(0, 0), connection);
        broker.dispatcher.onConnectionClosed(connection);
        assertThat(answer.closed()).isTrue();
        assertThat(broker.ticker.waiting()).isZero();
        assertThat(broker.produce("t", 0, 1, DataPathFixture.records("a")).given())
                .isTrue();
    }

    @Test
    void aDeletedTopicEndsTheWaitWithItsError() {
        Uuid id = broker.createTopic("t", 1);
        RecordedAnswer answer = send(fetch(0, 0));
        broker.deleteTopic(id);
        assertThat(partitions(answer).get(0).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
    }

    @Test
    void offsetsOutsideOfTheLogAndWrongEpochsAreToldAtOnce() {
        broker.createTopic("t", 1);
        assertThat(partitions(send(fetch(5, 0))).get(0).errorCode()).isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
        FetchRequestData newer = fetch(0, 0);
        newer.topics().get(0).partitions().get(0).setCurrentLeaderEpoch(3);
        assertThat(partitions(send(newer)).get(0).errorCode()).isEqualTo(Errors.UNKNOWN_LEADER_EPOCH.code());
        assertThat(partitions(send(fetch(0, 9))).get(0).errorCode())
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
    }

    @Test
    void onlyTheFirstPartitionWithDataMayExceedTheLimit() {
        // Given
        broker.createTopic("t", 2);
        broker.produce("t", 0, 1, DataPathFixture.records("a"));
        broker.produce("t", 1, 1, DataPathFixture.records("a"));
        // When
        var answers = partitions(send(fetch(0, 0, 1).setMaxBytes(1)));
        // Then
        assertThat(answers.get(0).records().sizeInBytes()).isPositive();
        assertThat(answers.get(1).records().sizeInBytes()).isZero();
    }

    @Test
    void aSessionIsToldOnlyWhatIsNew() {
        // Given
        broker.createTopic("t", 3);
        int session = begin(0, 1, 2);
        broker.produce("t", 1, 1, DataPathFixture.records("a"));
        // When
        RecordedAnswer second = send(fetch(0).setSessionId(session).setSessionEpoch(1));
        // Then
        assertThat(session).isPositive();
        assertThat(indexes(second)).containsExactly(1);
        FetchRequestData progressed =
                fetch(1, 1).setSessionId(session).setSessionEpoch(2).setMaxWaitMs(0);
        assertThat(indexes(send(progressed))).isEmpty();
    }

    @Test
    void aSessionForgetsPartitionsAndEndsWithItsLast() {
        // Given
        broker.createTopic("t", 2);
        int session = begin(0, 1);
        FetchRequestData forget =
                fetch(0).setSessionId(session).setSessionEpoch(1).setMaxWaitMs(0);
        forget.forgottenTopicsData().add(new ForgottenTopic().setTopic("t").setPartitions(List.of(0, 1)));
        // When
        RecordedAnswer last = send(forget);
        // Then
        assertThat(last.body(FetchResponseData.class).sessionId()).isZero();
        assertThat(broker.fetch.sessions()).isZero();
    }

    @Test
    void sessionErrorsAreThoseOfTheProtocol() {
        Uuid id = broker.createTopic("t", 1);
        int session = begin(0);
        assertThat(error(fetch(0).setSessionId(99_999).setSessionEpoch(1), 12))
                .isEqualTo(Errors.FETCH_SESSION_ID_NOT_FOUND);
        assertThat(error(fetch(0).setSessionId(session).setSessionEpoch(7), 12))
                .isEqualTo(Errors.INVALID_FETCH_SESSION_EPOCH);
        assertThat(error(fetch(0).setSessionId(session).setSessionEpoch(1), 13))
                .isEqualTo(Errors.FETCH_SESSION_TOPIC_ID_ERROR);
        assertThat(id).isNotNull();
    }

    private Errors error(FetchRequestData request, int version) {
        return Errors.forCode(broker.send(ApiKeys.FETCH, version, request)
                .body(FetchResponseData.class)
                .errorCode());
    }

    @Test
    void anOvertakenRequestOfASessionIsRefused() {
        // Given
        broker.createTopic("t", 1);
        int session = begin(0);
        RecordedAnswer overtaken = send(fetch(0).setSessionId(session).setSessionEpoch(1));
        RecordedAnswer next = send(fetch(0).setSessionId(session).setSessionEpoch(2));
        // When
        broker.produce("t", 0, 1, DataPathFixture.records("a"));
        // Then
        assertThat(overtaken.body(FetchResponseData.class).errorCode())
                .isEqualTo(Errors.INVALID_FETCH_SESSION_EPOCH.code());
        assertThat(indexes(next)).containsExactly(0);
    }

    @Test
    void servedPartitionsGoBehindTheOthers() {
        // Given
        broker.createTopic("t", 2);
        int session = begin(0, 1);
        broker.produce("t", 0, 1, DataPathFixture.records("a"));
        broker.produce("t", 1, 1, DataPathFixture.records("a"));
        // When
        var first = partitions(
                send(fetch(0).setSessionId(session).setSessionEpoch(1).setMaxBytes(1)));
        var second = partitions(
                send(fetch(0).setSessionId(session).setSessionEpoch(2).setMaxBytes(1)));
        // Then
        assertThat(first.get(0).partitionIndex()).isZero();
        assertThat(first.get(0).records().sizeInBytes()).isPositive();
        assertThat(second.get(0).partitionIndex()).isEqualTo(1);
        assertThat(second.get(0).records().sizeInBytes()).isPositive();
    }

    @Test
    void fullSessionCacheMakesRoomByKafkasRules() {
        // Given
        DataPathFixture small = new DataPathFixture(new FetchLimits(1 << 20, 1, 1_000));
        small.createTopic("t", 3);
        FetchRequestData one = fetch(0, 0).setSessionEpoch(0).setMinBytes(0);
        FetchRequestData two = fetch(0, 0, 1).setSessionEpoch(0).setMinBytes(0);
        // When, Then: an older session of a good use stays
        int first =
                small.send(ApiKeys.FETCH, 12, one).body(FetchResponseData.class).sessionId();
        assertThat(first).isPositive();
        assertThat(small.send(ApiKeys.FETCH, 12, two)
                        .body(FetchResponseData.class)
                        .sessionId())
                .isZero();
        // a used one that is older than the eviction time gives way to a bigger one
        small.ticker.advance(1_001);
        assertThat(small.send(ApiKeys.FETCH, 12, two)
                        .body(FetchResponseData.class)
                        .sessionId())
                .isPositive();
        assertThat(small.fetch.sessions()).isEqualTo(1);
        assertThat(small.fetch.sessionEvictions()).isEqualTo(1);
    }

    @Test
    void bytesThatComeDuringALookAreNotForgotten() {
        // Given a fetch that misses two of four batches
        Uuid id = broker.createTopic("t", 2);
        int size = DataPathFixture.records("a").sizeInBytes();
        RecordedAnswer answer = send(fetch(0, 0, 1).setMinBytes(4 * size));
        broker.produce("t", 1, 1, DataPathFixture.records("a"));
        broker.produce("t", 1, 1, DataPathFixture.records("b"));
        // When it looks again because of something else, and partition 0 grows after it was looked at
        broker.logs.of("t", 1).beforeNextRead(() -> broker.produce("t", 0, 1, DataPathFixture.records("c")));
        broker.changeLeaderEpoch(id, 1, 1);
        assertThat(answer.given()).isFalse();
        // Then the fourth batch is enough
        broker.produce("t", 0, 1, DataPathFixture.records("d"));
        assertThat(partitions(answer).stream()
                        .mapToInt(p -> p.records().sizeInBytes())
                        .sum())
                .isEqualTo(4 * size);
    }

    @Test
    void aPartitionWhoseProducersAreAskedForAgainAndAgainIsToldOnce() {
        broker.createTopic("t", 2);
        DescribeProducersRequestData request = new DescribeProducersRequestData();
        for (int i = 0; i < 3; i++) {
            request.topics()
                    .add(new DescribeProducersRequestData.TopicRequest()
                            .setName("t")
                            .setPartitionIndexes(List.of(0, 1, 0)));
        }
        DescribeProducersResponseData answer =
                broker.send(ApiKeys.DESCRIBE_PRODUCERS, 0, request).body(DescribeProducersResponseData.class);
        assertThat(answer.topics()).hasSize(1);
        assertThat(answer.topics().get(0).partitions())
                .extracting(p -> p.partitionIndex())
                .containsExactly(0, 1);
    }

    @Test
    void aFetchWhoseTimeIsUpIsReadOnItsConnectionsEventLoopNotOnTheTickersThread() {
        // Given a fetch that waits
        broker.createTopic("t", 1);
        TestConnection connection = broker.connection().holdEventLoop();
        RecordedAnswer answer = broker.send(ApiKeys.FETCH, 12, fetch(0, 0), connection);
        // When the ticker has run its task
        broker.ticker.advance(MAX_WAIT_MS);
        // Then it has only handed over
        assertThat(answer.given()).isFalse();
        assertThat(connection.runEventLoop()).isOne();
        assertThat(indexes(answer)).containsExactly(0);
    }

    @Test
    void twoConnectionsThatUseOneSessionAtOnceAreAnsweredOneAfterTheOther() throws Exception {
        // Given a session of many partitions
        int partitions = 200;
        broker.createTopic("t", partitions);
        int session = begin(IntStream.range(0, partitions).toArray());
        AtomicInteger served = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> clients = new ArrayList<>();
        // When two connections fetch with every epoch, changing what the session has, while records come
        for (int client = 0; client < 2; client++) {
            int drop = client + 1; // never the one that is added, or the session might end
            clients.add(new Thread(() -> {
                for (int epoch = 1; epoch < 2_000 && failure.get() == null; epoch++) {
                    RecordedAnswer answer = send(fetch(0, epoch % partitions)
                            .setMinBytes(0)
                            .setMaxWaitMs(0)
                            .setSessionId(session)
                            .setSessionEpoch(epoch)
                            .setForgottenTopicsData(List.of(new ForgottenTopic()
                                    .setTopic("t")
                                    .setPartitions(List.of((epoch + drop) % partitions)))));
                    Errors error =
                            Errors.forCode(answer.body(FetchResponseData.class).errorCode());
                    if (error == Errors.NONE) {
                        served.incrementAndGet();
                    } else if (error != Errors.INVALID_FETCH_SESSION_EPOCH) {
                        failure.set(error.exception());
                    }
                }
            }));
        }
        clients.forEach(Thread::start);
        for (int i = 0; i < partitions; i++) {
            broker.produce("t", i, 1, DataPathFixture.records("a"));
        }
        for (Thread client : clients) {
            client.join();
        }
        // Then each epoch was served at most once, and nothing failed
        assertThat(failure.get()).isNull();
        assertThat(served.get()).isBetween(1, 2_000);
        assertThat(broker.metrics.of(ApiKeys.FETCH).errors()).doesNotContainKey(Errors.UNKNOWN_SERVER_ERROR);
    }
}
