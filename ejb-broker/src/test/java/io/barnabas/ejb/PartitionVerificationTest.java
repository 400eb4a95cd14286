package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.request.RecordedAnswer;
import io.barnabas.request.TestConnection;
import io.barnabas.wire.RequestFrame;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** transaction.partition.verification.enable, switched while the broker runs: what a client writes without telling the coordinator. */
class PartitionVerificationTest {
    private static final String KEY = "transaction.partition.verification.enable";
    private static final String TOPIC = "t";
    private static final String GROUP = "g";
    /** The last version whose clients tell the coordinator themselves. */
    private static final int PRODUCE_VERSION = 11;

    private static final int OFFSET_COMMIT_VERSION = 4;

    private final EmbeddedBroker broker = EmbeddedBroker.start();
    private final Admin admin = broker.admin();

    @BeforeEach
    void createTopics() throws Exception {
        admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1))).all().get();
        admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get(); // makes the offsets topic
    }

    @AfterEach
    void close() {
        admin.close();
        broker.close();
    }

    private void verify(boolean on) throws Exception {
        AlterConfigOp op = new AlterConfigOp(new ConfigEntry(KEY, Boolean.toString(on)), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.BROKER, ""), List.of(op)))
                .all()
                .get();
        Awaitility.await().until(() -> broker.node().config().current().getBoolean(KEY) == on);
    }

    private ProducerIdentity producer(String id) throws Exception {
        Map<String, Object> config = broker.clientConfig();
        config.put("transactional.id", id);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
        }
        TransactionDescription description =
                admin.describeTransactions(List.of(id)).description(id).get();
        return new ProducerIdentity(description.producerId(), (short) description.producerEpoch());
    }

    private <T extends ApiMessage> T send(ApiKeys api, int version, ApiMessage request, Class<T> type) {
        RecordedAnswer answer = new RecordedAnswer();
        broker.node()
                .dispatcher()
                .dispatch(
                        new RequestFrame(api, (short) version, 1, "test", request, 1, 0),
                        new TestConnection(1),
                        answer);
        Awaitility.await().until(answer::given);
        return answer.body(type);
    }

    private Errors produce(String id, ProducerIdentity producer) {
        MemoryRecords records = MemoryRecords.withTransactionalRecords(
                Compression.NONE,
                producer.id(),
                producer.epoch(),
                0,
                new SimpleRecord("v".getBytes(StandardCharsets.UTF_8)));
        ProduceRequestData request = new ProduceRequestData()
                .setTransactionalId(id)
                .setAcks((short) -1)
                .setTimeoutMs(10_000);
        request.topicData()
                .add(new TopicProduceData()
                        .setName(TOPIC)
                        .setPartitionData(
                                List.of(new PartitionProduceData().setIndex(0).setRecords(records))));
        return Errors.forCode(send(ApiKeys.PRODUCE, PRODUCE_VERSION, request, ProduceResponseData.class)
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .get(0)
                .errorCode());
    }

    private Errors commitOffset(String id, ProducerIdentity producer) {
        TxnOffsetCommitRequestData request = new TxnOffsetCommitRequestData()
                .setTransactionalId(id)
                .setGroupId(GROUP)
                .setProducerId(producer.id())
                .setProducerEpoch(producer.epoch())
                .setTopics(List.of(new TxnOffsetCommitRequestTopic()
                        .setName(TOPIC)
                        .setPartitions(List.of(new TxnOffsetCommitRequestPartition()
                                .setPartitionIndex(0)
                                .setCommittedOffset(1)))));
        return Errors.forCode(
                send(ApiKeys.TXN_OFFSET_COMMIT, OFFSET_COMMIT_VERSION, request, TxnOffsetCommitResponseData.class)
                        .topics()
                        .get(0)
                        .partitions()
                        .get(0)
                        .errorCode());
    }

    @Test
    void what_did_not_join_the_transaction_is_written_only_while_nothing_is_verified() throws Exception {
        ProducerIdentity first = producer("x");
        assertThat(produce("x", first)).isEqualTo(Errors.TRANSACTION_ABORTABLE);
        assertThat(commitOffset("x", first)).isEqualTo(Errors.TRANSACTION_ABORTABLE);

        verify(false);
        assertThat(produce("x", first)).isEqualTo(Errors.NONE);
        assertThat(commitOffset("x", first)).isEqualTo(Errors.NONE);

        verify(true);
        ProducerIdentity second = producer("y");
        assertThat(produce("y", second)).isEqualTo(Errors.TRANSACTION_ABORTABLE);
        assertThat(commitOffset("y", second)).isEqualTo(Errors.TRANSACTION_ABORTABLE);
    }
}
