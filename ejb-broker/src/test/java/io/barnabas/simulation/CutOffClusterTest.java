package io.barnabas.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.ejb.BrokenBroker;
import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.port.PeerConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A leader that the other brokers do not reach, and a client that does and has patience. */
class CutOffClusterTest {
    /** A session, what a leader of the metadata needs to notice, and a look or two. */
    private static final int ANSWERED_MS = 900 + 600 + 400;

    private static final int PATIENCE_MS = 30_000;
    private static final short VERSION = 12;

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    private final List<Errors> answers = new ArrayList<>();

    private PeerConnection produce(SimulatedCluster cluster, TopicPartition partition, int broker) {
        ProduceRequestData request =
                new ProduceRequestData().setAcks((short) -1).setTimeoutMs(PATIENCE_MS);
        request.topicData()
                .add(new ProduceRequestData.TopicProduceData()
                        .setName(partition.topic())
                        .setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                                .setIndex(partition.partition())
                                .setRecords(MemoryRecords.withRecords(
                                        Compression.NONE,
                                        new SimpleRecord(cluster.clock.wallMillis(), new byte[] {1}))))));
        PeerConnection connection = cluster.network
                .connector(SimulatedCluster.CLIENTS)
                .connect(SimulatedBroker.host(broker), SimulatedBroker.CLIENTS_PORT, "client");
        connection.send(request, VERSION, PATIENCE_MS, new PeerConnection.Answer() {
            @Override
            public void onAnswer(ApiMessage message) {
                answers.add(Errors.forCode(((ProduceResponseData) message)
                        .responses()
                        .iterator()
                        .next()
                        .partitionResponses()
                        .get(0)
                        .errorCode()));
            }

            @Override
            public void onFailure(RuntimeException cause) {
                answers.add(Errors.NETWORK_EXCEPTION);
            }
        });
        return connection;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void theClientIsToldAndHasToAskAnotherBroker(long seed) {
        // Given
        SimulatedCluster cluster = new SimulatedCluster(seed, BrokenBroker.NONE);
        TopicPartition partition = cluster.partitions.get((int) (seed % SimulatedCluster.PARTITIONS));
        int leader = cluster.committed(partition).leader();
        for (int other = 1; other <= SimulatedCluster.BROKERS; other++) {
            if (other != leader) {
                cluster.cut(leader, other, true, true);
                cluster.cut(other, leader, true, true);
            }
        }
        // When
        PeerConnection connection = produce(cluster, partition, leader);
        cluster.run(ANSWERED_MS);
        // Then
        assertThat(answers).containsExactly(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(connection.isOpen()).isFalse();
        assertThat(cluster.committed(partition).leader()).isNotEqualTo(leader);
        // When
        answers.clear();
        produce(cluster, partition, cluster.committed(partition).leader());
        cluster.run(500);
        // Then
        assertThat(answers).containsExactly(Errors.NONE);
    }
}
