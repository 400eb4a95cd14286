package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.log.LogFixture;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.partition.LeaderCensus;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Three brokers copy a partition, and part, and come together again. */
class ReplicationTest {
    private final ReplicatedCluster cluster = new ReplicatedCluster(LogConfig.defaults(), 1, 1);

    private void assertSame(String... contents) {
        for (ReplicaNode node : cluster.nodes.values()) {
            assertThat(node.contents(0)).as("broker %d", node.id).containsExactly(contents);
            assertThat(node.partition(0).highWatermark())
                    .as("high watermark of broker %d", node.id)
                    .isEqualTo(contents.length);
        }
    }

    private List<Integer> isr() {
        return cluster.controller.partition(0).isr;
    }

    @Test
    void whatTheLeaderAppendsIsCopiedAndCommittedAtOnce() {
        cluster.append(1, 0, -1, "a", "b");
        CompletionStage<Void> committed = cluster.leader(0).committed(2);

        cluster.run(1);

        assertThat(committed.toCompletableFuture()).isCompleted();
        cluster.append(1, 0, -1, "c");
        cluster.run(1_000);
        assertSame("0:a", "1:b", "2:c");
    }

    @Test
    void aFollowerWhoseDiskIsFullGoesOnWhenItHasRoom() {
        cluster.append(1, 0, -1, "a");
        cluster.run(1_000);
        cluster.disk(2).room(0);
        cluster.append(1, 0, -1, "b");
        cluster.run(1_000);
        assertThat(cluster.node(2).partition(0).log().logEndOffset()).isEqualTo(1);

        cluster.disk(2).heal();
        cluster.run(5_000);

        assertSame("0:a", "1:b");
    }

    @Test
    void aLeaderThatComesBackCutsWhatOnlyItHad() {
        cluster.append(1, 0, -1, "a");
        cluster.run(10);
        cluster.isolate(1, true);
        cluster.append(1, 0, 1, "x", "y");
        cluster.controller.fence(1);
        cluster.run(10);
        cluster.append(2, 0, -1, "b");
        cluster.run(100);
        assertThat(cluster.leader(0).highWatermark()).isEqualTo(2);

        cluster.heal();
        cluster.controller.unfence(1);
        cluster.run(5_000);

        assertSame("0:a", "1:b");
        assertThat(isr()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void epochsThatOnlyOneOfTwoLogsHasAreFoundStepByStep() {
        cluster.append(1, 0, -1, "a");
        cluster.run(10);
        // Given one that led twice without anybody hearing of its records, and another that led in between
        cluster.isolate(1, false);
        cluster.append(1, 0, 1, "x");
        cluster.controller.fence(1);
        cluster.run(10);
        cluster.isolate(2, false);
        cluster.append(2, 0, 1, "p", "q", "r");
        cluster.controller.fence(2);
        cluster.run(10);
        cluster.append(3, 0, 1, "b");
        // When all are one again
        cluster.heal();
        cluster.controller.unfence(1);
        cluster.controller.unfence(2);
        cluster.run(6_000);
        // Then they have what the last leader has
        assertSame("0:a", "1:b");
        assertThat(isr()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void whoFallsBehindTheLogStartBeginsAnewThere() {
        cluster.append(1, 0, -1, "a");
        cluster.run(10);
        cluster.isolate(3, true);
        cluster.controller.fence(3);
        cluster.run(10);
        cluster.append(1, 0, -1, "b", "c");
        cluster.append(1, 0, -1, "d");
        cluster.run(100);
        cluster.leader(0).log().deleteRecordsBefore(3);

        cluster.heal();
        cluster.controller.unfence(3);
        cluster.run(5_000);

        assertThat(cluster.node(3).partition(0).log().logStartOffset()).isEqualTo(3);
        assertThat(cluster.node(3).contents(0)).containsExactly("3:d");
        assertThat(cluster.node(2).partition(0).log().logStartOffset()).isEqualTo(3);
        assertThat(isr()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void whoLagsLeavesTheInSyncReplicasAndComesBackWhenItHasCaughtUp() {
        cluster.isolate(3, false);
        cluster.append(1, 0, -1, "a");
        cluster.run(100);
        assertThat(cluster.leader(0).highWatermark()).isZero();

        cluster.run(2 * ReplicatedCluster.LAG_MAX_MS);
        assertThat(isr()).containsExactlyInAnyOrder(1, 2);
        assertThat(cluster.leader(0).highWatermark()).isOne();
        cluster.heal();
        cluster.run(5_000);

        assertSame("0:a");
        assertThat(isr()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void aChangeWhoseAnswerIsLostCountsUntilTheMetadataSayWhatBecameOfIt() {
        cluster.isolate(3, false);
        cluster.append(1, 0, -1, "a");
        cluster.run(2 * ReplicatedCluster.LAG_MAX_MS);
        assertThat(isr()).containsExactlyInAnyOrder(1, 2);
        // Given the leader cannot hear the controller, which carries out what it asks
        cluster.losesAnswersOnly = true;
        cluster.heal();
        cluster.isolate(1, true);
        cluster.network.heal();
        cluster.run(5_000);
        assertThat(isr()).containsExactlyInAnyOrder(1, 2, 3);
        assertThat(cluster.leader(0).image().isr()).hasSize(2);
        // When the one that came in falls silent
        cluster.isolate(3, false);
        cluster.append(1, 0, -1, "b");
        cluster.run(2 * ReplicatedCluster.LAG_MAX_MS);
        // Then it is waited for
        assertThat(cluster.leader(0).highWatermark()).isOne();
        cluster.heal();
        cluster.run(5_000);
        assertSame("0:a", "1:b");
    }

    @Test
    void killedBrokersComeBackWithWhatTheyHad() {
        cluster.append(1, 0, -1, "a");
        cluster.run(10);
        cluster.kill(1);
        cluster.controller.fence(1);
        cluster.run(10);
        cluster.append(2, 0, -1, "b");
        cluster.run(100);
        cluster.kill(2);
        cluster.controller.fence(2);
        cluster.run(10);

        cluster.restart(1, End.PROCESS_KILLED);
        cluster.restart(2, End.POWER_LOST);
        cluster.run(5_000);

        assertSame("0:a", "1:b");
        assertThat(isr()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void aReplicaShowsWhatItKnowsToBeCommittedBeforeItHearsOfALeader() {
        cluster.append(1, 0, -1, "a", "b");
        cluster.run(10 * ReplicaNode.CHECKPOINT_MS);
        for (int id = 1; id <= 3; id++) {
            cluster.kill(id);
        }
        cluster.isolate(3, true);

        cluster.restart(3, End.PROCESS_KILLED);

        assertThat(cluster.node(3).partition(0).highWatermark()).isEqualTo(2);
    }

    @Test
    void aCommitOfAnEarlierLeadershipIsNotTakenForThisOnes() {
        TopicPartition partition = new TopicPartition(ScriptedController.TOPIC, 0);
        LocalPartitionWriter writer = new LocalPartitionWriter(cluster.node(1).partitions);
        int epoch = cluster.leader(0).leaderEpoch();
        // Given a coordinator's record that only its leader has when another takes over, and comes back
        cluster.isolate(1, true);
        long end = writer.append(partition, epoch, LogFixture.batch(1, "lost"));
        cluster.controller.fence(1);
        cluster.run(10);
        cluster.append(2, 0, -1, "x");
        cluster.heal();
        cluster.controller.unfence(1);
        cluster.run(5_000);
        cluster.controller.elect(0, 1);
        cluster.run(10);
        assertThat(cluster.leader(0).highWatermark()).isEqualTo(end);

        assertThat(writer.committed(partition, end, epoch).toCompletableFuture())
                .isCompletedExceptionally();
        assertThat(writer.committed(partition, end, cluster.leader(0).leaderEpoch())
                        .toCompletableFuture())
                .isCompleted();
    }

    @Test
    void whatBecomesOfInSyncReplicasIsCounted() {
        LocalPartitions led = cluster.node(1).partitions;
        cluster.isolate(3, false);
        cluster.append(1, 0, -1, "a");
        cluster.run(2 * ReplicatedCluster.LAG_MAX_MS);

        assertThat(LeaderCensus.of(led.partitions())).isEqualTo(new LeaderCensus(1, 1, 1, 0, 0, 0));
        assertThat(LeaderCensus.of(cluster.node(2).partitions.partitions()))
                .isEqualTo(new LeaderCensus(1, 0, 0, 0, 0, 0));
        assertThat(cluster.node(1).isrChanges.shrinks()).isOne();

        cluster.heal();
        cluster.run(5_000);

        assertThat(LeaderCensus.of(led.partitions())).isEqualTo(new LeaderCensus(1, 1, 0, 0, 0, 0));
        assertThat(cluster.node(1).isrChanges.expands()).isOne();
        assertThat(cluster.node(1).throttles.leader().copiedBytes()).isPositive();
        assertThat(cluster.node(2).throttles.follower().copiedBytes()).isPositive();
    }
}
