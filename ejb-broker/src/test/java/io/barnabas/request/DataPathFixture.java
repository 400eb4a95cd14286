package io.barnabas.request;

import io.barnabas.coordinator.transaction.TransactionFixture;
import io.barnabas.log.LogConfig;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.metadata.TrailingMetadata;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.MemoryLogs;
import io.barnabas.partition.ReplicaTerms;
import io.barnabas.port.ListenerSettings;
import io.barnabas.wire.RequestFrame;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** The dispatcher and the data path's handlers over logs in memory, metadata in memory, and a time that stands. */
final class DataPathFixture {
    static final long LAG_MAX_MS = 10_000;
    /** The listener that brokers have for each other. */
    static final String BROKERS = "BROKERS";

    final TestMetadata metadata = new TestMetadata();
    final MemoryLogs logs = new MemoryLogs();
    final ManualTime ticker = new ManualTime();
    final RequestMetrics metrics = new RequestMetrics();
    final LocalPartitions partitions;
    final FetchHandler fetch;
    final TransactionFixture transactions;
    final HandlerDispatcher dispatcher;
    LogConfig config = LogConfig.defaults();
    private final AtomicInteger ids = new AtomicInteger();
    private long connections;
    Executor scans = Runnable::run;
    /** Takes what this broker does by new metadata. */
    Executor followers = Runnable::run;

    DataPathFixture() {
        this(FetchLimits.defaults());
    }

    DataPathFixture(FetchLimits limits) {
        TrailingMetadata trailing =
                TrailingMetadata.of(metadata.metadata(), task -> followers.execute(task), failure -> {
                    throw new AssertionError(failure);
                });
        partitions = new LocalPartitions(
                new ReplicaTerms(TestMetadata.NODE_ID, ticker, () -> LAG_MAX_MS, trailing),
                logs,
                (topic, image) -> config,
                Runnable::run);
        partitions.start();
        DataPath path = new DataPath(partitions, logs, trailing, metrics, ticker, ticker, task -> scans.execute(task));
        transactions = new TransactionFixture();
        fetch = new FetchHandler(path, limits, ids::incrementAndGet);
        HandlerRegistry registry =
                new HandlerRegistry(BROKERS).add(DataHandlers.all(path, fetch, transactions.enlistment(ticker)));
        registry.add(new ApiVersionsHandler(registry, metadata.metadata(), TestMetadata.NODE_ID, java.util.Map.of()));
        dispatcher = new HandlerDispatcher(
                () -> new ListenerSettings(List.of(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                registry,
                new HandlerDispatcher.Measures(metrics, ticker),
                List.of(fetch::onConnectionClosed),
                () -> {});
    }

    Uuid createTopic(String name, int partitionCount) {
        Uuid id = new Uuid(7, name.hashCode());
        ApiMessage[] records = new ApiMessage[partitionCount + 1];
        records[0] = new TopicRecord().setName(name).setTopicId(id);
        for (int i = 0; i < partitionCount; i++) {
            records[i + 1] = new PartitionRecord()
                    .setTopicId(id)
                    .setPartitionId(i)
                    .setReplicas(List.of(TestMetadata.NODE_ID))
                    .setIsr(List.of(TestMetadata.NODE_ID))
                    .setLeader(TestMetadata.NODE_ID)
                    .setLeaderEpoch(0)
                    .setPartitionEpoch(0)
                    .setDirectories(List.of(new Uuid(1, 100)));
        }
        metadata.replay(records);
        return id;
    }

    void deleteTopic(Uuid id) {
        metadata.replay(new RemoveTopicRecord().setTopicId(id));
    }

    TestConnection connection() {
        return new TestConnection(++connections);
    }

    /** As another broker asks. */
    RecordedAnswer sendAsBroker(ApiKeys api, int version, ApiMessage body) {
        return send(api, version, body, new TestConnection(++connections, BROKERS));
    }

    RecordedAnswer send(ApiKeys api, int version, ApiMessage body) {
        return send(api, version, body, connection());
    }

    RecordedAnswer send(ApiKeys api, int version, ApiMessage body, TestConnection from) {
        RecordedAnswer answer = new RecordedAnswer();
        dispatcher.dispatch(new RequestFrame(api, (short) version, 1, "test", body, 1, 0), from, answer);
        return answer;
    }

    RecordedAnswer produce(String topic, int partition, int acks, MemoryRecords records) {
        return send(ApiKeys.PRODUCE, 11, produceRequest(topic, partition, acks, records));
    }

    static ProduceRequestData produceRequest(String topic, int partition, int acks, MemoryRecords records) {
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) acks).setTimeoutMs(1_000);
        request.topicData()
                .add(new ProduceRequestData.TopicProduceData()
                        .setName(topic)
                        .setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                                .setIndex(partition)
                                .setRecords(records))));
        return request;
    }

    static MemoryRecords records(String... values) {
        SimpleRecord[] records = new SimpleRecord[values.length];
        for (int i = 0; i < values.length; i++) {
            records[i] = new SimpleRecord(1L, null, values[i].getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        return MemoryRecords.withRecords(Compression.NONE, records);
    }

    /** A partition is led under another epoch: who waits on it looks again. */
    void changeLeaderEpoch(Uuid id, int partition, int epoch) {
        metadata.replay(new PartitionRecord()
                .setTopicId(id)
                .setPartitionId(partition)
                .setReplicas(List.of(TestMetadata.NODE_ID))
                .setIsr(List.of(TestMetadata.NODE_ID))
                .setLeader(TestMetadata.NODE_ID)
                .setLeaderEpoch(epoch)
                .setPartitionEpoch(epoch)
                .setDirectories(List.of(new Uuid(1, 100))));
    }
}
