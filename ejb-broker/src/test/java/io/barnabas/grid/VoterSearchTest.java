package io.barnabas.grid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.config.QuorumVoter;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VoterSearchTest {
    private static final String VOTERS = "1@10.0.0.1:9094,2@[::1]:9094,3@c.example:9094";

    private final KnownGrid grid = new KnownGrid();

    private static GridMember member(int nodeId, String voters) {
        return GridMember.of(Map.of("barnabas.node", Integer.toString(nodeId), "barnabas.voters", voters))
                .orElseThrow();
    }

    @Test
    void aBrokerTakesTheListThatAVoterWasConfiguredWith() throws Exception {
        // Given
        grid.join(member(7, ""));
        grid.join(member(2, VOTERS));
        // When
        List<QuorumVoter> found = VoterSearch.await(grid, 7, () -> false);
        // Then
        assertThat(found)
                .containsExactly(
                        new QuorumVoter(1, "10.0.0.1", 9094),
                        new QuorumVoter(2, "::1", 9094),
                        new QuorumVoter(3, "c.example", 9094));
    }

    @Test
    void nobodyIsBelievedWhileVotersNameDifferentLists() {
        grid.join(member(1, VOTERS));
        grid.join(member(3, "1@10.0.0.1:9094,3@c.example:9094,4@d:1"));
        assertThat(VoterSearch.among(grid.members())).isEmpty();
        assertThatThrownBy(() -> VoterSearch.await(grid, 7, () -> true))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("stopped");
    }

    @Test
    void aVoterIsNotMadeByTheGrid() {
        grid.join(member(1, VOTERS));
        assertThatThrownBy(() -> VoterSearch.await(grid, 2, () -> false))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("controller.quorum.voters");
    }

    @Test
    void whatIsNoMemberOfOursIsPassedOver() {
        assertThat(GridMember.of(Map.of())).isEmpty();
        assertThat(GridMember.of(Map.of("barnabas.node", "x"))).isEmpty();
        assertThat(GridMember.of(Map.of("barnabas.node", "1", "barnabas.voters", "a,b")))
                .isEmpty();
        assertThat(GridMember.of(Map.of("barnabas.node", "1", "barnabas.voters", "1@a:1,".repeat(2_000))))
                .isEmpty();
        assertThat(GridMember.of(Map.of("barnabas.node", "12"))).hasValue(new GridMember(12, List.of()));
    }
}
