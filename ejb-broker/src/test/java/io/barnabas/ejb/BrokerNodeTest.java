package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.net.RawClient;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.junit.jupiter.api.Test;

class BrokerNodeTest {
    /** Kafka 4.4's ranges of every API that this broker serves; Produce from 0, for clients that look for it. */
    private static final String SERVED = """
            Produce 0-13, Fetch 4-18, ListOffsets 1-11, Metadata 0-13, OffsetCommit 2-10, OffsetFetch 1-10, FindCoordinator 0-6,
            JoinGroup 0-9, Heartbeat 0-4, LeaveGroup 0-5, SyncGroup 0-5, DescribeGroups 0-6, ListGroups 0-5, ApiVersions 0-5,
            CreateTopics 2-7, DeleteTopics 1-6, DeleteRecords 0-2, InitProducerId 0-5, OffsetForLeaderEpoch 2-4,
            AddPartitionsToTxn 0-5, AddOffsetsToTxn 0-4, EndTxn 0-5, WriteTxnMarkers 1-2, TxnOffsetCommit 0-6, DescribeConfigs 1-4,
            AlterConfigs 0-2, AlterReplicaLogDirs 1-2, DescribeLogDirs 1-5, CreatePartitions 0-3, DeleteGroups 0-3, ElectLeaders 0-2,
            IncrementalAlterConfigs 0-1, AlterPartitionReassignments 0-1, ListPartitionReassignments 0-0, OffsetDelete 0-0,
            DescribeQuorum 0-2, UpdateFeatures 0-2, DescribeCluster 0-2, DescribeProducers 0-0, UnregisterBroker 0-0,
            DescribeTransactions 0-0, ListTransactions 0-2, ConsumerGroupHeartbeat 0-1, ConsumerGroupDescribe 0-1,
            ListConfigResources 0-1, DescribeTopicPartitions 0-0, AddRaftVoter 0-1,
            RemoveRaftVoter 0-0""";

    @Test
    void startsStopsAndStartsAgainOnTheSameDirectory() {
        try (EmbeddedBroker broker = EmbeddedBroker.start()) {
            String cluster = broker.node().metadata().clusterId();
            broker.restart();
            assertThat(broker.node().metadata().clusterId()).isEqualTo(cluster);
            broker.crash();
            assertThat(broker.node().metadata().clusterId()).isEqualTo(cluster);
        }
    }

    @Test
    void apiVersionsTellsTheWholeOfWhatIsServedAndNothingElse() throws Exception {
        // Given
        Map<String, String> expected = new TreeMap<>();
        for (String api : SERVED.split(",\\s+")) {
            String[] nameAndRange = api.split(" ");
            expected.put(nameAndRange[0], nameAndRange[1]);
        }
        Map<String, String> told = new TreeMap<>();
        try (EmbeddedBroker broker = EmbeddedBroker.start();
                RawClient client = new RawClient(broker.port())) {
            // When
            ApiVersionsRequestData request =
                    new ApiVersionsRequestData().setClientSoftwareName("test").setClientSoftwareVersion("1");
            client.send(RawClient.frame(ApiKeys.API_VERSIONS, (short) 4, 7, request));
            ByteBufferAccessor answer = new ByteBufferAccessor(client.receive());
            answer.readInt(); // correlation id
            new ApiVersionsResponseData(answer, (short) 4)
                    .apiKeys()
                    .forEach(api ->
                            told.put(ApiKeys.forId(api.apiKey()).name, api.minVersion() + "-" + api.maxVersion()));
        }
        // Then
        assertThat(told).isEqualTo(expected);
    }
}
