package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Readable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The smaller APIs of the data path, over all their versions. */
class EveryVersionTest {
    private static final Map<ApiKeys, Supplier<ApiMessage>> REQUESTS = Map.of(
            ApiKeys.LIST_OFFSETS, () -> listOffsets(-1),
            ApiKeys.OFFSET_FOR_LEADER_EPOCH, () -> leaderEpoch(0),
            ApiKeys.DELETE_RECORDS, () -> deleteRecords("t", 1),
            ApiKeys.DESCRIBE_LOG_DIRS, DescribeLogDirsRequestData::new,
            ApiKeys.ALTER_REPLICA_LOG_DIRS, () -> moveTo("/elsewhere"),
            ApiKeys.DESCRIBE_PRODUCERS, () -> producers("t"));

    private final DataPathFixture broker = new DataPathFixture();

    @BeforeEach
    void twoRecords() {
        broker.createTopic("t", 1);
        broker.produce("t", 0, 1, DataPathFixture.records("a", "b"));
    }

    private static ListOffsetsRequestData listOffsets(long timestamp) {
        ListOffsetsRequestData request = new ListOffsetsRequestData().setReplicaId(-1);
        request.topics()
                .add(new ListOffsetsRequestData.ListOffsetsTopic()
                        .setName("t")
                        .setPartitions(List.of(new ListOffsetsRequestData.ListOffsetsPartition()
                                .setPartitionIndex(0)
                                .setTimestamp(timestamp))));
        return request;
    }

    private static OffsetForLeaderEpochRequestData leaderEpoch(int epoch) {
        OffsetForLeaderEpochRequestData request = new OffsetForLeaderEpochRequestData();
        request.topics()
                .add(new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic()
                        .setTopic("t")
                        .setPartitions(List.of(new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition()
                                .setPartition(0)
                                .setLeaderEpoch(epoch))));
        return request;
    }

    private static DeleteRecordsRequestData deleteRecords(String topic, long offset) {
        DeleteRecordsRequestData request = new DeleteRecordsRequestData();
        request.topics()
                .add(new DeleteRecordsRequestData.DeleteRecordsTopic()
                        .setName(topic)
                        .setPartitions(List.of(new DeleteRecordsRequestData.DeleteRecordsPartition()
                                .setPartitionIndex(0)
                                .setOffset(offset))));
        return request;
    }

    private static AlterReplicaLogDirsRequestData moveTo(String directory) {
        AlterReplicaLogDirsRequestData request = new AlterReplicaLogDirsRequestData();
        var topic = new AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic()
                .setName("t")
                .setPartitions(List.of(0));
        var target = new AlterReplicaLogDirsRequestData.AlterReplicaLogDir().setPath(directory);
        target.topics().add(topic);
        request.dirs().add(target);
        return request;
    }

    private static DescribeProducersRequestData producers(String topic) {
        DescribeProducersRequestData request = new DescribeProducersRequestData();
        request.topics()
                .add(new DescribeProducersRequestData.TopicRequest()
                        .setName(topic)
                        .setPartitionIndexes(List.of(0)));
        return request;
    }

    @ParameterizedTest
    @EnumSource(
            value = ApiKeys.class,
            names = {
                "LIST_OFFSETS",
                "OFFSET_FOR_LEADER_EPOCH",
                "DELETE_RECORDS",
                "DESCRIBE_LOG_DIRS",
                "ALTER_REPLICA_LOG_DIRS",
                "DESCRIBE_PRODUCERS"
            })
    void isAnsweredInEveryVersionWithBytesThatReadBack(ApiKeys api) {
        for (short version = api.oldestVersion(); version <= api.latestVersion(); version++) {
            Supplier<ApiMessage> request = REQUESTS.getOrDefault(api, DescribeLogDirsRequestData::new);
            RecordedAnswer answer = broker.send(api, version, request.get());
            ApiMessage read = api.messageType.newResponse();
            Readable bytes = answer.bytes(version);
            read.read(bytes, version);
            assertThat(bytes.remaining()).as("%s %s", api, version).isZero();
        }
    }

    private ListOffsetsResponseData.ListOffsetsPartitionResponse offset(long timestamp, int version) {
        return broker.send(ApiKeys.LIST_OFFSETS, version, listOffsets(timestamp))
                .body(ListOffsetsResponseData.class)
                .topics()
                .get(0)
                .partitions()
                .get(0);
    }

    @Test
    void specialTimestampsAreKnownFromTheirVersionOn() {
        assertThat(offset(-1, 1).offset()).isEqualTo(2);
        assertThat(offset(-2, 1).offset()).isZero();
        assertThat(offset(-3, 6).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(offset(-3, 7).errorCode()).isZero();
        assertThat(offset(-4, 7).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(offset(-4, 8).offset()).isZero();
        assertThat(offset(-5, 8).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(offset(-5, 9).offset()).isEqualTo(-1);
        assertThat(offset(-6, 10).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(offset(-6, 11).offset()).isEqualTo(-1);
        assertThat(offset(-7, 11).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(offset(Integer.MIN_VALUE - 1L, 11).errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
    }

    @Test
    void theEndForAReaderOfCommittedRecordsIsTheLastStableOffset() {
        broker.logs.of("t", 0).transactionOpenFrom(1);
        ListOffsetsRequestData request = listOffsets(-1).setIsolationLevel(IsolationLevel.READ_COMMITTED.id());

        assertThat(broker.send(ApiKeys.LIST_OFFSETS, 2, request)
                        .body(ListOffsetsResponseData.class)
                        .topics()
                        .get(0)
                        .partitions()
                        .get(0)
                        .offset())
                .isOne();
        assertThat(offset(-1, 2).offset()).isEqualTo(2);
    }

    @Test
    void aPartitionNamedTwiceIsAnInvalidRequest() {
        ListOffsetsRequestData request = listOffsets(-1);
        request.topics().addAll(listOffsets(-2).topics());
        var topics = broker.send(ApiKeys.LIST_OFFSETS, 7, request)
                .body(ListOffsetsResponseData.class)
                .topics();
        assertThat(topics.get(0).partitions()).hasSize(1);
        assertThat(topics.get(0).partitions().get(0).errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
        assertThat(topics.get(1).partitions()).isEmpty();
    }

    @Test
    void theLeadersOwnEpochEndsAtTheLogsEnd() {
        var end = broker.send(ApiKeys.OFFSET_FOR_LEADER_EPOCH, 4, leaderEpoch(0))
                .body(OffsetForLeaderEpochResponseData.class)
                .topics()
                .iterator()
                .next()
                .partitions()
                .get(0);
        assertThat(end.leaderEpoch()).isZero();
        assertThat(end.endOffset()).isEqualTo(2);
    }

    @Test
    void recordsAreDeletedUpToTheHighWatermarkOnly() {
        assertThat(deleted(deleteRecords("t", 3)).errorCode()).isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
        assertThat(deleted(deleteRecords("t", -1)).lowWatermark()).isEqualTo(2);
        assertThat(deleted(deleteRecords("x", 0)).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
    }

    private DeleteRecordsResponseData.DeleteRecordsPartitionResult deleted(DeleteRecordsRequestData request) {
        return broker.send(ApiKeys.DELETE_RECORDS, 2, request)
                .body(DeleteRecordsResponseData.class)
                .topics()
                .iterator()
                .next()
                .partitions()
                .iterator()
                .next();
    }

    @Test
    void aDirectoryThatIsNotOursCannotBeMovedTo() {
        var result = broker.send(ApiKeys.ALTER_REPLICA_LOG_DIRS, 2, moveTo("/elsewhere"))
                .body(AlterReplicaLogDirsResponseData.class)
                .results()
                .get(0);
        assertThat(result.partitions().get(0).errorCode()).isEqualTo(Errors.LOG_DIR_NOT_FOUND.code());
    }
}
