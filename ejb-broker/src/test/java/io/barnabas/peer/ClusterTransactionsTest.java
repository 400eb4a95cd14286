package io.barnabas.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionFixture;
import io.barnabas.coordinator.transaction.TransactionPartitions;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.net.FakeDispatcher;
import io.barnabas.port.Connection;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.port.Responder;
import io.barnabas.request.ManualTime;
import io.barnabas.wire.RequestFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerPartitionResult;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerResult;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerTopicResult;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AddPartitionsToTxnResponse;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Broker 1 with transactions whose partitions and coordinators are on broker 2; partition 0 of topic t is its own. */
class ClusterTransactionsTest {
    private static final int TIMEOUT_MS = 30_000;
    private static final TopicPartition HERE = new TopicPartition("t", 0);
    private static final TopicPartition THERE = new TopicPartition("t", 1);
    private static final TopicPartition THERE_TOO = new TopicPartition("t", 2);
    private static final TopicPartition NOWHERE = new TopicPartition("t", 3);

    private final ManualTime time = new ManualTime();
    private final TestMetadata metadata = new TestMetadata();
    private final MemoryNetwork network = new MemoryNetwork(time, time);
    private final BrokerLinks links = new BrokerLinks(
            network.connector("host1"), metadata.metadata(), "BROKER", BrokerLinks.Identity.of(1), time);
    private final List<TopicPartition> writtenHere = new ArrayList<>();
    private final List<String> requests = new ArrayList<>();
    private final Map<TopicPartition, Errors> errors = new java.util.HashMap<>();
    private final ClusterMarkers markers = new ClusterMarkers(
            metadata.metadata(),
            (partition, marker) -> {
                writtenHere.add(partition);
                return CompletableFuture.completedFuture(null);
            },
            links,
            TIMEOUT_MS);
    private final ClusterMembers members =
            new ClusterMembers(metadata.metadata(), new TransactionFixture().transactions, links, TIMEOUT_MS);
    private final FakeDispatcher other = new FakeDispatcher(FakeDispatcher.settings()).answering(this::answer);

    @BeforeEach
    void cluster() {
        RegisterBrokerRecord broker = new RegisterBrokerRecord()
                .setBrokerId(2)
                .setIncarnationId(new Uuid(1, 2))
                .setFenced(false)
                .setLogDirs(List.of(new Uuid(2, 100)));
        broker.endPoints()
                .add(new RegisterBrokerRecord.BrokerEndpoint()
                        .setName("BROKER")
                        .setHost("host2")
                        .setPort(9091));
        metadata.replay(broker);
        topic("t", 1, 2, 2, -1);
        network.listen("host2", 9091, "BROKER", other);
    }

    private void topic(String name, int... leaders) {
        List<ApiMessage> records = new ArrayList<>();
        Uuid id = new Uuid(7, name.hashCode());
        records.add(new TopicRecord().setName(name).setTopicId(id));
        for (int i = 0; i < leaders.length; i++) {
            records.add(new PartitionRecord()
                    .setTopicId(id)
                    .setPartitionId(i)
                    .setReplicas(List.of(1, 2))
                    .setIsr(List.of(1, 2))
                    .setLeader(leaders[i])
                    .setDirectories(List.of(new Uuid(1, 100), new Uuid(2, 100))));
        }
        metadata.replay(records.toArray(new ApiMessage[0]));
    }

    private void answer(RequestFrame request, Connection connection, Responder responder) {
        if (request.body() instanceof WriteTxnMarkersRequestData write) {
            requests.add("markers of " + write.markers().size());
            WriteTxnMarkersResponseData response = new WriteTxnMarkersResponseData();
            write.markers().forEach(marker -> {
                WritableTxnMarkerResult result = new WritableTxnMarkerResult().setProducerId(marker.producerId());
                assertThat(marker.transactionVersion()).isEqualTo((byte) 2);
                assertThat(marker.coordinatorEpoch()).isEqualTo(5);
                marker.topics().forEach(topic -> {
                    WritableTxnMarkerTopicResult answered = new WritableTxnMarkerTopicResult().setName(topic.name());
                    topic.partitionIndexes().forEach(index -> answered.partitions()
                            .add(new WritableTxnMarkerPartitionResult()
                                    .setPartitionIndex(index)
                                    .setErrorCode(error(topic.name(), index))));
                    result.topics().add(answered);
                });
                response.markers().add(result);
            });
            responder.respond(response);
        } else if (request.body() instanceof AddPartitionsToTxnRequestData add) {
            requests.add("joins of " + add.transactions().size());
            AddPartitionsToTxnResponseData response = new AddPartitionsToTxnResponseData();
            add.transactions().forEach(transaction -> {
                Map<TopicPartition, Errors> told = new java.util.HashMap<>();
                transaction.topics().forEach(topic -> topic.partitions()
                        .forEach(index -> told.put(
                                new TopicPartition(topic.name(), index), Errors.forCode(error(topic.name(), index)))));
                response.resultsByTransaction()
                        .add(AddPartitionsToTxnResponse.resultForTransaction(transaction.transactionalId(), told));
            });
            responder.respond(response);
        }
    }

    private short error(String topic, int partition) {
        return errors.getOrDefault(new TopicPartition(topic, partition), Errors.NONE)
                .code();
    }

    private CompletableFuture<Void> write(TopicPartition partition, long producerId, int epoch) {
        return markers.write(partition, new TransactionMarker(producerId, (short) epoch, 5, true, (short) 2))
                .toCompletableFuture();
    }

    @Test
    void markers_go_where_the_partitions_are_led() {
        assertThat(write(HERE, 7, 1)).isCompleted();
        assertThat(writtenHere).containsExactly(HERE);
        assertThat(requests).isEmpty();
        CompletableFuture<Void> there = write(THERE, 7, 1);
        time.advance(0);
        assertThat(there).isCompleted();
        assertThat(writtenHere).containsExactly(HERE);
        // a partition that is gone needs none, one without a leader has to wait
        assertThat(write(new TopicPartition("gone", 0), 7, 1)).isCompleted();
        assertThatThrownBy(write(NOWHERE, 7, 1)::join).hasCauseInstanceOf(RetriableException.class);
    }

    @Test
    void while_one_request_is_under_way_the_markers_of_others_gather_for_the_next() {
        errors.put(THERE_TOO, Errors.NOT_LEADER_OR_FOLLOWER);
        CompletableFuture<Void> first = write(THERE, 7, 1);
        CompletableFuture<Void> second = write(THERE, 8, 1);
        CompletableFuture<Void> refused = write(THERE_TOO, 8, 1);
        CompletableFuture<Void> third = write(THERE, 9, 1);
        CompletableFuture<Void> next = write(THERE, 9, 2); // the answer could not tell it from the one before
        time.advance(0);
        assertThat(requests).containsExactly("markers of 1", "markers of 2", "markers of 1");
        assertThat(List.of(first, second, third, next)).allMatch(CompletableFuture::isDone);
        assertThatThrownBy(refused::join).hasCauseInstanceOf(NotLeaderOrFollowerException.class);
        first.join();
        second.join();
        third.join();
        next.join();
    }

    @Test
    void what_waits_for_a_broker_that_is_fenced_fails_so_that_its_successor_is_asked() {
        network.isolate("host2", "host1");
        CompletableFuture<Void> written = write(THERE, 7, 1);
        CompletableFuture<Map<TopicPartition, Errors>> joined = coordinatedThere(true);
        time.advance(3_000);
        assertThat(written).isNotDone();
        metadata.replay(new BrokerRegistrationChangeRecord()
                .setBrokerId(2)
                .setBrokerEpoch(metadata.image().broker(2).orElseThrow().epoch())
                .setFenced((byte) 1));
        time.advance(0);
        assertThatThrownBy(written::join).hasCauseInstanceOf(NetworkException.class);
        assertThat(joined.join()).containsEntry(THERE, Errors.NETWORK_EXCEPTION);
    }

    private TransactionPartitions transaction(String id) {
        return new TransactionPartitions(id, new ProducerIdentity(7, (short) 1), List.of(THERE, THERE_TOO));
    }

    private CompletableFuture<Map<TopicPartition, Errors>> coordinatedThere(boolean verify) {
        if (metadata.image().topic(Topic.TRANSACTION_STATE_TOPIC_NAME) == null) {
            topic(
                    Topic.TRANSACTION_STATE_TOPIC_NAME,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2,
                    2);
        }
        return verify
                ? members.verify(transaction("tx"))
                : members.add(transaction("tx"), (short) 2).thenApply(error -> Map.of(THERE, error));
    }

    @Test
    void a_coordinator_elsewhere_is_asked_for_each_partition() {
        errors.put(THERE_TOO, Errors.TRANSACTION_ABORTABLE);
        CompletableFuture<Map<TopicPartition, Errors>> verified = coordinatedThere(true);
        time.advance(0);
        assertThat(verified.join())
                .containsEntry(THERE, Errors.NONE)
                .containsEntry(THERE_TOO, Errors.TRANSACTION_ABORTABLE);
        CompletableFuture<Map<TopicPartition, Errors>> added = coordinatedThere(false);
        time.advance(0);
        assertThat(added.join()).containsEntry(THERE, Errors.TRANSACTION_ABORTABLE);
    }

    @Test
    void two_questions_of_one_transaction_go_one_after_the_other_and_others_together() {
        CompletableFuture<Map<TopicPartition, Errors>> first = coordinatedThere(true);
        var second = members.verify(transaction("tx"));
        var third = members.verify(transaction("tx"));
        var fourth = members.verify(transaction("other"));
        time.advance(0);
        assertThat(requests).containsExactly("joins of 1", "joins of 2", "joins of 1");
        assertThat(List.of(first, second, third, fourth)).allMatch(CompletableFuture::isDone);
    }

    @Test
    void without_a_coordinator_nobody_is_asked() {
        assertThat(members.verify(transaction("tx")).join()).containsEntry(THERE, Errors.COORDINATOR_NOT_AVAILABLE);
    }
}
