package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.ManualClock;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.junit.jupiter.api.Test;

class BrokerClocksTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final long TEN_YEARS = 3650L * 24 * 3600 * 1000;
    private static final Set<Integer> BROKERS = Set.of(1, 2, 3);

    private final ManualClock clock = new ManualClock(NOW);
    private final BrokerClocks clocks = new BrokerClocks(clock);

    private void hear(int broker, long ms) {
        List<RawTaggedField> fields = new ArrayList<>();
        BrokerClocks.write(fields, ms);
        clocks.onHeard(broker, fields, BROKERS);
    }

    @Test
    void saysNothingBeforeAMajorityWasHeard() {
        // When
        hear(1, NOW);
        // Then
        assertThat(clocks.agreed(3)).isEmpty();
        // When
        hear(2, NOW + 20);
        // Then
        assertThat(clocks.agreed(3)).hasValue(NOW);
    }

    @Test
    void goesByTheMajorityAndNotByTheControllersOwnClock() {
        // Given
        hear(1, NOW);
        hear(2, NOW + 10);
        hear(3, NOW + 20);
        // When the controller's own clock steps, and another's
        clock.stepWall(TEN_YEARS);
        hear(1, NOW + TEN_YEARS);
        clock.advance(5);
        // Then
        assertThat(clocks.agreed(3)).hasValue(NOW + 15);
    }

    @Test
    void saysNothingWhereClocksContradictEachOther() {
        // When
        hear(1, NOW);
        hear(2, NOW - TEN_YEARS);
        // Then
        assertThat(clocks.agreed(2)).isEmpty();
        assertThat(clocks.agreed(3)).isEmpty();
    }

    @Test
    void forgetsWhoIsNotRegisteredAnyMore() {
        // Given
        hear(1, NOW);
        hear(2, NOW);
        // When
        clocks.onHeard(1, List.of(), Set.of(1));
        // Then
        assertThat(clocks.agreed(2)).isEmpty();
        assertThat(clocks.agreed(1)).hasValue(NOW);
    }

    @Test
    void takesNoTimeFromAMessageThatBringsNone() {
        // Given
        List<RawTaggedField> fields = new ArrayList<>(List.of(new RawTaggedField(10_000, new byte[3])));
        // Then
        assertThat(BrokerClocks.read(fields)).isEqualTo(OptionalLong.empty());
        // When
        BrokerClocks.write(fields, NOW);
        // Then
        assertThat(BrokerClocks.read(fields)).hasValue(NOW);
    }
}
