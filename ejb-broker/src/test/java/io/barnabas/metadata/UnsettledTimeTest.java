package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.AgreedClock;
import io.barnabas.time.ManualClock;
import org.junit.jupiter.api.Test;

class UnsettledTimeTest {
    private final ManualClock machine = new ManualClock();
    private final AgreedClock clock = new AgreedClock(machine);
    private final UnsettledTime unsettled = new UnsettledTime(clock);

    @Test
    void isToldAfterAWhileAndThenNowAndThenUntilTheNodesAgree() {
        clock.unsettle();
        assertThat(unsettled.isDue()).isFalse();

        machine.advance(UnsettledTime.FIRST_MS);
        assertThat(unsettled.isDue()).isTrue();
        assertThat(unsettled.isDue()).isFalse();

        machine.advance(UnsettledTime.AGAIN_MS);
        assertThat(unsettled.isDue()).isTrue();

        machine.advance(UnsettledTime.AGAIN_MS);
        clock.agree(machine.wallMillis());
        assertThat(unsettled.isDue()).isFalse();
    }
}
