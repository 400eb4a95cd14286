package io.barnabas.time;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AgreedClockTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final long TEN_YEARS = 3650L * 24 * 3600 * 1000;

    private final ManualClock machine = new ManualClock(NOW);
    private final AgreedClock clock = new AgreedClock(machine);

    @Test
    void isTheMachinesClockWhileNobodySaysOtherwise() {
        // When
        machine.stepWall(TEN_YEARS);
        // Then
        assertThat(clock.wallMillis()).isEqualTo(NOW + TEN_YEARS);
        assertThat(clock.settled()).isTrue();
    }

    @Test
    void isNotSettledInAClusterBeforeThatWasAsked() {
        // When
        clock.unsettle();
        // Then
        assertThat(clock.settled()).isFalse();
        // When
        clock.agree(NOW);
        // Then
        assertThat(clock.settled()).isTrue();
    }

    @Test
    void doesNotFollowAStepOfTheMachinesClock() {
        // Given
        clock.agree(NOW);
        // When
        machine.stepWall(-TEN_YEARS);
        machine.advance(500);
        // Then
        assertThat(clock.wallMillis()).isEqualTo(NOW + 500);
        assertThat(clock.machineMillis()).isEqualTo(NOW - TEN_YEARS + 500);
        // When the cluster is asked
        clock.agree(NOW + 510);
        machine.advance(1_000);
        // Then
        assertThat(clock.wallMillis()).isEqualTo(NOW + 1_510);
    }

    @Test
    void followsTheMachineWhereThatIsNearEnough() {
        // When
        clock.agree(NOW + AgreedClock.TOLERANCE_MS);
        // Then
        assertThat(clock.wallMillis()).isEqualTo(NOW);
    }
}
