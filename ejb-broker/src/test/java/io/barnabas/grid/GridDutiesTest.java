package io.barnabas.grid;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.BrokerProbe.Finding;
import io.barnabas.metadata.ControllerService;
import io.barnabas.metadata.TestCluster;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GridDutiesTest {
    private final TestCluster cluster = TestCluster.ofThree();
    private final KnownGrid grid = new KnownGrid();

    @BeforeEach
    void begin() {
        for (int id = 1; id <= 3; id++) {
            grid.join(new GridMember(id, List.of()));
        }
        ControllerService.Time time = new ControllerService.Time(cluster.clock, cluster.ticker);
        GridDuties.begin(
                grid,
                new GridDuties.Means(
                        TestCluster.CONTROLLER, cluster.controller(), cluster.metadata(), time, Runnable::run),
                cluster.service());
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void aBrokerWhoseMemberHasLeftIsLookedForAtOnceAndFencedIfNobodyListensThere() {
        // Given
        cluster.finding(2, Finding.GONE);
        assertThat(cluster.broker(2).fenced()).isFalse();
        // When
        grid.leave(2);
        // Then, without time having passed
        assertThat(cluster.broker(2).fenced()).isTrue();
        assertThat(cluster.broker(3).fenced()).isFalse();
    }

    @Test
    void aBrokerThatIsThereStaysInServiceWhateverTheGridSays() {
        // Given
        cluster.finding(2, Finding.THERE);
        // When
        grid.leave(2);
        cluster.pass(10_000, 2, 3);
        // Then
        assertThat(cluster.broker(2).fenced()).isFalse();
    }

    @Test
    void aBrokerThatTheGridHasIsFencedAllTheSameWhenItIsSilent() {
        // When
        cluster.finding(2, Finding.UNKNOWN);
        cluster.pass(10_000, 3);
        // Then
        assertThat(cluster.broker(2).fenced()).isTrue();
    }

    @Test
    void whoeverComesIntoTheGridIsGrantedNothing() {
        // Given
        long before = cluster.image().index();
        // When
        grid.join(new GridMember(4, List.of()));
        cluster.pass(2_000, 2, 3);
        // Then
        assertThat(cluster.image().broker(4)).isEmpty();
        assertThat(cluster.image().index()).isEqualTo(before);
    }
}
