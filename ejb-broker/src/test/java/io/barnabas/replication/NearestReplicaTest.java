package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.config.BrokerConfig;
import io.barnabas.log.LogConfig;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.port.PeerConnection;
import io.barnabas.request.PreferredReplicas;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;

/** Consumers read from the replica in their rack (KIP-392), and hear of new records there as soon as they are committed. */
class NearestReplicaTest {
    private static final String RACK_AWARE = "org.apache.kafka.common.replica.RackAwareReplicaSelector";
    private static final int LONG_MS = 60_000;

    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);
    private final List<Answer> answers = new ArrayList<>();

    /** What a consumer was answered of the partition. */
    private record Answer(Errors error, int preferred, int records, long highWatermark) {}

    NearestReplicaTest() {
        cluster.nodes.values().forEach(node -> node.fetch.preferring(replicas(RACK_AWARE, node.metadata)));
    }

    private static PreferredReplicas replicas(String selector, TestMetadata metadata) {
        return PreferredReplicas.load(BrokerConfig.of(Map.of("replica.selector.class", selector)), metadata.metadata());
    }

    private void fetch(int broker, long offset, String rack, int maxWaitMs) {
        FetchRequestData request = new FetchRequestData()
                .setMaxWaitMs(maxWaitMs)
                .setMinBytes(1)
                .setMaxBytes(1 << 20)
                .setRackId(rack)
                .setSessionEpoch(-1)
                .setTopics(List.of(new FetchTopic()
                        .setTopicId(ScriptedController.TOPIC_ID)
                        .setPartitions(List.of(new FetchPartition()
                                .setPartition(0)
                                .setFetchOffset(offset)
                                .setPartitionMaxBytes(1 << 20)))));
        cluster.network
                .connector("client")
                .connect(ReplicaNode.host(broker), ReplicaNode.PORT, "client")
                .send(request, ApiKeys.FETCH.latestVersion(), LONG_MS, new PeerConnection.Answer() {
                    @Override
                    public void onAnswer(ApiMessage body) {
                        var partition = ((FetchResponseData) body)
                                .responses()
                                .get(0)
                                .partitions()
                                .get(0);
                        int records = 0;
                        for (var ignored : ((MemoryRecords) partition.records()).records()) {
                            records++;
                        }
                        answers.add(new Answer(
                                Errors.forCode(partition.errorCode()),
                                partition.preferredReadReplica(),
                                records,
                                partition.highWatermark()));
                    }

                    @Override
                    public void onFailure(RuntimeException cause) {
                        throw cause;
                    }
                });
    }

    @Test
    void theLeaderSendsAConsumerToTheReplicaInItsRack() {
        cluster.append(1, 0, -1, "a");
        cluster.run(10);

        fetch(1, 0, ScriptedController.rack(2), LONG_MS);
        cluster.run(1);
        fetch(2, 0, ScriptedController.rack(2), LONG_MS);
        cluster.run(600);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, 2, 0, 1), new Answer(Errors.NONE, -1, 1, 1));
    }

    @Test
    void withoutARackOfAReplicaTheLeaderServes() {
        cluster.append(1, 0, -1, "a");
        cluster.run(10);

        fetch(1, 0, "", 0);
        fetch(1, 0, "elsewhere", 0);
        fetch(1, 0, ScriptedController.rack(1), 0);
        cluster.run(1);

        assertThat(answers).hasSize(3).allMatch(answer -> answer.preferred() == -1 && answer.records() == 1);
    }

    @Test
    void nobodyIsSentToAReplicaThatIsOutOfSync() {
        cluster.isolate(2, false);
        cluster.append(1, 0, -1, "a");
        cluster.run(2 * ReplicatedCluster.LAG_MAX_MS);

        fetch(1, 0, ScriptedController.rack(2), 0);
        cluster.run(1);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, -1, 1, 1));
    }

    @Test
    void whoWaitsAtAFollowerHearsOfRecordsAsSoonAsTheyAreCommitted() {
        fetch(2, 0, ScriptedController.rack(2), LONG_MS);
        cluster.run(5);

        cluster.append(1, 0, -1, "a");
        cluster.run(1);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, -1, 1, 1));
    }

    @Test
    void aFollowerShowsNothingThatIsNotCommitted() {
        cluster.isolate(3, false);
        fetch(2, 0, ScriptedController.rack(2), LONG_MS);
        cluster.append(1, 0, -1, "a");
        cluster.run(1_000);

        assertThat(answers).isEmpty();
        assertThat(cluster.node(2).partition(0).log().logEndOffset()).isOne();

        cluster.run(2 * ReplicatedCluster.LAG_MAX_MS);
        assertThat(answers).containsExactly(new Answer(Errors.NONE, -1, 1, 1));
    }

    @Test
    void aFollowerThatDoesNotHaveTheOffsetSaysSo() {
        fetch(2, 7, ScriptedController.rack(2), 0);
        cluster.run(1);

        assertThat(answers.get(0).error()).isEqualTo(Errors.OFFSET_OUT_OF_RANGE);
    }

    @Test
    void aSelectorThatIsNoneEndsTheStart() {
        TestMetadata metadata = new TestMetadata();
        assertThatThrownBy(() -> replicas("java.lang.String", metadata))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("replica.selector.class");
        assertThatThrownBy(() -> replicas("no.such.Class", metadata)).isInstanceOf(ConfigException.class);
        assertThat(replicas("org.apache.kafka.common.replica.LeaderSelector", metadata))
                .isSameAs(PreferredReplicas.NONE);
    }
}
