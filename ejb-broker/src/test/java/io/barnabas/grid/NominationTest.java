package io.barnabas.grid;

import static io.barnabas.grid.Nomination.CALM_MS;
import static io.barnabas.grid.Nomination.REST_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.LogPosition;
import io.barnabas.metadata.QuorumState;
import io.barnabas.metadata.TestCluster;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NominationTest {
    private static final OptionalInt NOBODY = OptionalInt.empty();
    private static final LogPosition POSITION = new LogPosition(7, 1_000, 1_000);

    private final TestCluster cluster = TestCluster.ofThree();
    private final Nomination nomination = new Nomination(3);
    private QuorumState quorum = quorum(voter(1, 1_000, 20), voter(2, 1_000, 20), voter(3, 1_000, 0));

    @AfterEach
    void close() {
        cluster.close();
    }

    private static QuorumState.Member voter(int id, long endIndex, long answeredMsAgo) {
        return new QuorumState.Member(id, Uuid.ZERO_UUID, endIndex, answeredMsAgo);
    }

    private static QuorumState quorum(QuorumState.Member... voters) {
        return new QuorumState(POSITION, List.of(voters), List.of());
    }

    private OptionalInt at(long ms, int... oldestFirst) {
        List<GridMember> members = IntStream.of(oldestFirst)
                .mapToObj(id -> new GridMember(id, List.of()))
                .toList();
        return nomination.look(ms, members, cluster.image(), quorum);
    }

    @Test
    void theOldestIsNominatedOnceAllHasBeenCalmForAWhile() {
        assertThat(at(0, 1, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(CALM_MS - 1, 1, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(CALM_MS, 1, 2, 3)).hasValue(1);
    }

    @Test
    void theOldestLeadsOn() {
        assertThat(at(0, 3, 1, 2)).isEqualTo(NOBODY);
        assertThat(at(10 * CALM_MS, 3, 1, 2)).isEqualTo(NOBODY);
    }

    @Test
    void whoHasNoVoteOrIsNoBrokerIsNotNominated() {
        // Given 4 is older than all and has no vote; 1 votes and is no broker: a witness
        quorum = quorum(voter(2, 1_000, 20), voter(3, 1_000, 0), voter(5, 1_000, 20));
        // When, then
        assertThat(at(0, 4, 5, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(CALM_MS, 4, 5, 2, 3)).hasValue(2);
    }

    @Test
    void aMemberThatComesOrGoesBeginsTheCalmAnew() {
        at(0, 1, 2, 3);
        assertThat(at(CALM_MS - 1, 1, 2, 3, 4)).isEqualTo(NOBODY);
        assertThat(at(CALM_MS + 1, 1, 2, 3, 4)).isEqualTo(NOBODY);
        assertThat(at(2 * CALM_MS, 1, 2, 3, 4)).hasValue(1);
    }

    @Test
    void nobodyIsNominatedInTheMidstOfAFault() {
        // Given a voter that lags, one that is silent, one that the grid lacks, and a node that is there twice
        at(0, 1, 2, 3);
        quorum = quorum(voter(1, 1_000, 20), voter(2, 100, 20), voter(3, 1_000, 0));
        assertThat(at(CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        quorum = quorum(voter(1, 1_000, 20), voter(2, 1_000, 5_000), voter(3, 1_000, 0));
        assertThat(at(2 * CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        quorum = quorum(voter(1, 1_000, 20), voter(2, 1_000, QuorumState.NEVER), voter(3, 1_000, 0));
        assertThat(at(3 * CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        quorum = quorum(voter(1, 1_000, 20), voter(2, 1_000, 20), voter(3, 1_000, 0));
        assertThat(at(4 * CALM_MS, 1, 3)).isEqualTo(NOBODY);
        assertThat(at(5 * CALM_MS, 1, 2, 3, 2)).isEqualTo(NOBODY);
        // When all is well again, then after a calm of its own
        assertThat(at(6 * CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(7 * CALM_MS, 1, 2, 3)).hasValue(1);
    }

    @Test
    void nobodyIsNominatedWhileABrokerIsOutOfService() {
        // Given
        at(0, 1, 2, 3);
        cluster.kill(2);
        assertThat(cluster.broker(2).fenced()).isTrue();
        // When, then
        assertThat(at(CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(2 * CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
    }

    @Test
    void theLeadIsNotPassedToAndFroBetweenMembersThatSeeDifferentGrids() {
        at(0, 1, 2, 3);
        assertThat(at(CALM_MS, 1, 2, 3)).hasValue(1);
        // When it comes back at once
        nomination.forget();
        assertThat(at(2 * CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(4 * CALM_MS, 1, 2, 3)).isEqualTo(NOBODY);
        // Then it stays for a long while
        assertThat(at(CALM_MS + REST_MS - 1, 1, 2, 3)).isEqualTo(NOBODY);
        assertThat(at(CALM_MS + REST_MS, 1, 2, 3)).hasValue(1);
    }

    @Test
    void nobodyIsNominatedWithoutAGrid() {
        assertThat(at(0)).isEqualTo(NOBODY);
        assertThat(at(CALM_MS)).isEqualTo(NOBODY);
    }
}
