package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.port.PeerConnection;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** DeleteRecords is answered when no live replica has the records any more (KIP-107). */
class DeletedRecordsTest {
    private static final int TIMEOUT_MS = 2_000;

    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);
    private final List<Answer> answers = new ArrayList<>();

    private record Answer(Errors error, long lowWatermark) {}

    @BeforeEach
    void append() {
        cluster.append(1, 0, -1, "a", "b");
        cluster.append(1, 0, -1, "c");
        cluster.run(100);
    }

    private void delete(long offset, int timeoutMs) {
        DeleteRecordsRequestData request = new DeleteRecordsRequestData()
                .setTimeoutMs(timeoutMs)
                .setTopics(List.of(new DeleteRecordsTopic()
                        .setName(ScriptedController.TOPIC)
                        .setPartitions(List.of(new DeleteRecordsPartition()
                                .setPartitionIndex(0)
                                .setOffset(offset)))));
        cluster.network
                .connector("client")
                .connect(ReplicaNode.host(1), ReplicaNode.PORT, "client")
                .send(request, ApiKeys.DELETE_RECORDS.latestVersion(), 600_000, new PeerConnection.Answer() {
                    @Override
                    public void onAnswer(ApiMessage body) {
                        var partition = ((DeleteRecordsResponseData) body)
                                .topics()
                                .iterator()
                                .next()
                                .partitions()
                                .iterator()
                                .next();
                        answers.add(new Answer(Errors.forCode(partition.errorCode()), partition.lowWatermark()));
                    }

                    @Override
                    public void onFailure(RuntimeException cause) {
                        throw cause;
                    }
                });
    }

    @Test
    void theAnswerComesAsSoonAsTheFollowersHaveDroppedThem() {
        delete(2, TIMEOUT_MS);
        cluster.run(5);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, 2));
        cluster.nodes.values().forEach(node -> assertThat(
                        node.partition(0).log().logStartOffset())
                .as("start at broker %d", node.id)
                .isEqualTo(2));
    }

    @Test
    void allThatIsCommittedCanBeDeleted() {
        delete(-1, TIMEOUT_MS);
        cluster.run(5);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, 3));
    }

    @Test
    void whileAFollowerHasThemTheAnswerWaitsForItsTime() {
        cluster.isolate(3, false);

        delete(2, TIMEOUT_MS);
        cluster.run(TIMEOUT_MS - 1);
        assertThat(answers).isEmpty();
        cluster.run(2);

        assertThat(answers).containsExactly(new Answer(Errors.REQUEST_TIMED_OUT, 0));
        assertThat(cluster.node(1).partition(0).log().logStartOffset()).isEqualTo(2);
    }

    @Test
    void whoIsOutOfServiceIsNotWaitedFor() {
        cluster.isolate(3, true);
        cluster.controller.fence(3);
        cluster.run(10);

        delete(2, TIMEOUT_MS);
        cluster.run(5);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, 2));
    }

    @Test
    void whoGoesOutOfServiceIsWaitedForNoLonger() {
        cluster.isolate(3, true);
        delete(2, TIMEOUT_MS);
        cluster.run(10);
        assertThat(answers).isEmpty();

        cluster.controller.fence(3);
        cluster.run(5);

        assertThat(answers).containsExactly(new Answer(Errors.NONE, 2));
    }

    @Test
    void nobodyWaitsForEver() {
        cluster.isolate(3, false);

        delete(2, Integer.MAX_VALUE);
        cluster.run(300_000);

        assertThat(answers).containsExactly(new Answer(Errors.REQUEST_TIMED_OUT, 0));
    }

    @Test
    void whoLeadsNoLongerSaysSo() {
        cluster.isolate(3, false);
        delete(2, TIMEOUT_MS);
        cluster.run(10);

        cluster.controller.elect(0, 2);
        cluster.run(10);

        assertThat(answers).containsExactly(new Answer(Errors.NOT_LEADER_OR_FOLLOWER, -1));
    }

    @Test
    void withoutTimeItIsAnsweredAtOnce() {
        delete(2, 0);
        cluster.run(0);

        assertThat(answers).containsExactly(new Answer(Errors.REQUEST_TIMED_OUT, 0));
    }
}
