package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class PartitionChangeTest {
    private static final Uuid TOPIC = new Uuid(5, 5);

    private final Set<Integer> inService = new HashSet<>(Set.of(1, 2, 3, 4));
    private int minInSync = 2;
    private boolean keepsEligible = true;
    private PartitionImage partition = partition(1, List.of(1, 2, 3), List.of(1, 2, 3));

    private static PartitionImage partition(int leader, List<Integer> replicas, List<Integer> isr) {
        List<Uuid> directories = replicas.stream().map(id -> new Uuid(id, 1)).toList();
        return new PartitionImage(
                0, leader, 5, 9, replicas, isr, List.of(), List.of(), List.of(), List.of(), directories, false);
    }

    private boolean change(UnaryOperator<PartitionChange> wanted) {
        PartitionChange.Terms terms =
                new PartitionChange.Terms(inService::contains, minInSync, keepsEligible, id -> new Uuid(id, 1));
        return wanted.apply(new PartitionChange(TOPIC, partition, terms))
                .decide()
                .map(record -> {
                    partition = PartitionReplay.changed(partition, record);
                    return true;
                })
                .orElse(false);
    }

    private void fence(int broker) {
        inService.remove(broker);
        change(c -> c.without(broker));
    }

    private void restartUnclean(int broker) {
        inService.remove(broker);
        change(c -> c.withoutUnclean(broker));
    }

    private void arrive(int broker) {
        inService.add(broker);
        if (partition.leader() < 0) {
            change(c -> c);
        }
    }

    @Test
    void nothingThatChangesMakesNoRecord() {
        assertThat(change(c -> c)).isFalse();
        assertThat(change(c -> c.without(4))).isFalse();
    }

    @Test
    void nextInSyncReplicaLeadsInANewEpochWhenTheLeaderGoes() {
        // When
        fence(1);
        // Then
        assertThat(partition.leader()).isEqualTo(2);
        assertThat(partition.leaderEpoch()).isEqualTo(6);
        assertThat(partition.partitionEpoch()).isEqualTo(10);
        assertThat(partition.isr()).containsExactly(2, 3);
        assertThat(partition.elr()).isEmpty();
    }

    @Test
    void shrinkingKeepsTheLeaderAndItsEpoch() {
        // When
        change(c -> c.toIsr(List.of(1, 2)));
        // Then
        assertThat(partition.leader()).isEqualTo(1);
        assertThat(partition.leaderEpoch()).isEqualTo(5);
        assertThat(partition.partitionEpoch()).isEqualTo(10);
    }

    @Test
    void whoLeavesTooFewInSyncStaysEligibleAndLeadsWhenNobodyElseIs() {
        // Given
        fence(3);
        fence(2);
        assertThat(partition.isr()).containsExactly(1);
        assertThat(partition.elr()).containsExactly(2);
        // When
        fence(1);
        // Then
        assertThat(partition.leader()).isEqualTo(-1);
        assertThat(partition.isr()).isEmpty();
        assertThat(partition.elr()).containsExactly(1, 2);
        // When
        arrive(3);
        // Then
        assertThat(partition.leader()).isEqualTo(-1);
        // When
        arrive(2);
        // Then
        assertThat(partition.leader()).isEqualTo(2);
        assertThat(partition.isr()).containsExactly(2);
        assertThat(partition.elr()).containsExactly(1);
        // When
        change(c -> c.toIsr(List.of(2, 3)));
        // Then
        assertThat(partition.elr()).isEmpty();
        assertThat(partition.lastKnownElr()).isEmpty();
    }

    @Test
    void lastReplicaStandingDoesNotLeadAfterItMayHaveLostRecordsWhileAnotherIsEligible() {
        // Given
        fence(3);
        fence(2);
        // When
        restartUnclean(1);
        arrive(1);
        // Then
        assertThat(partition.leader()).isEqualTo(-1);
        assertThat(partition.elr()).containsExactly(2);
        // When
        arrive(2);
        // Then
        assertThat(partition.leader()).isEqualTo(2);
    }

    @Test
    void whoLedLastLeadsAgainAfterAllMayHaveLostRecords() {
        // Given
        restartUnclean(1);
        restartUnclean(2);
        restartUnclean(3);
        assertThat(partition.isr()).isEmpty();
        assertThat(partition.elr()).isEmpty();
        assertThat(partition.lastKnownElr()).containsExactly(3);
        // When
        arrive(1);
        // Then
        assertThat(partition.leader()).isEqualTo(-1);
        // When
        arrive(3);
        // Then
        assertThat(partition.leader()).isEqualTo(3);
        assertThat(partition.isr()).containsExactly(3);
        assertThat(partition.lastKnownElr()).isEmpty();
    }

    @Test
    void lastInSyncReplicaStaysOneWithoutEligibleLeaders() {
        // Given
        keepsEligible = false;
        fence(3);
        fence(2);
        // When
        fence(1);
        // Then
        assertThat(partition.leader()).isEqualTo(-1);
        assertThat(partition.isr()).containsExactly(1);
        assertThat(partition.elr()).isEmpty();
        // When
        arrive(2);
        arrive(1);
        // Then
        assertThat(partition.leader()).isEqualTo(1);
    }

    @Test
    void replicaThatIsNotInSyncLeadsOnlyWhereThatIsAllowed() {
        // Given
        keepsEligible = false;
        partition = partition(1, List.of(1, 2, 3), List.of(1));
        inService.remove(1);
        // When
        change(c -> c.without(1));
        // Then
        assertThat(partition.leader()).isEqualTo(-1);
        // When
        change(c -> c.uncleanIf(true));
        // Then
        assertThat(partition.leader()).isEqualTo(2);
        assertThat(partition.isr()).containsExactly(2);
        assertThat(partition.recovering()).isTrue();
        // When
        change(c -> c.toIsr(List.of(2, 3)).recovering(false));
        // Then
        assertThat(partition.recovering()).isFalse();
    }

    @Test
    void nobodyIsEligibleBesideEnoughInSync() {
        // Given
        fence(3);
        fence(2);
        fence(1);
        minInSync = 1; // it was lowered meanwhile
        // When
        arrive(2);
        // Then
        assertThat(partition.isr()).containsExactly(2);
        assertThat(partition.elr()).isEmpty();
    }

    @Test
    void preferredReplicaLeadsIfItIsInSync() {
        // Given
        partition = partition(2, List.of(1, 2, 3), List.of(2, 3));
        assertThat(change(PartitionChange::preferringFirst)).isFalse();
        partition = partition(2, List.of(1, 2, 3), List.of(2, 3, 1));
        // When
        change(PartitionChange::preferringFirst);
        // Then
        assertThat(partition.leader()).isEqualTo(1);
        assertThat(partition.leaderEpoch()).isEqualTo(6);
    }

    @Test
    void moveEndsWhenTheAddedReplicasAreInSyncAndThenHasANewLeader() {
        // Given
        change(c -> c.toReplicas(List.of(2, 3, 4, 1), List.of(4), List.of(1)));
        assertThat(partition.replicas()).containsExactly(2, 3, 4, 1);
        assertThat(partition.leader()).isEqualTo(1);
        assertThat(partition.directories().get(2)).isEqualTo(new Uuid(4, 1));
        // When
        change(c -> c.toIsr(List.of(1, 2, 3, 4)));
        // Then
        assertThat(partition.replicas()).containsExactly(2, 3, 4);
        assertThat(partition.isr()).containsExactly(2, 3, 4);
        assertThat(partition.leader()).isEqualTo(2);
        assertThat(partition.addingReplicas()).isEmpty();
        assertThat(partition.removingReplicas()).isEmpty();
        assertThat(partition.directories()).containsExactly(new Uuid(2, 1), new Uuid(3, 1), new Uuid(4, 1));
    }

    @Test
    void moveToFewerReplicasWaitsUntilAllThatStayAreInSync() {
        // Given
        partition = partition(1, List.of(1, 2, 3), List.of(1, 3));
        // When
        change(c -> c.toReplicas(List.of(2, 3, 1), List.of(), List.of(1)));
        // Then
        assertThat(partition.removingReplicas()).containsExactly(1);
        // When
        change(c -> c.toIsr(List.of(1, 2, 3)));
        // Then
        assertThat(partition.replicas()).containsExactly(2, 3);
        assertThat(partition.removingReplicas()).isEmpty();
    }
}
