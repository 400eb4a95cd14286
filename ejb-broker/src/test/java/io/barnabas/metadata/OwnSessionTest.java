package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.ManualClock;
import org.junit.jupiter.api.Test;

class OwnSessionTest {
    private final ManualClock clock = new ManualClock();
    private final OwnSession session = new OwnSession(clock, 3_000);

    @Test
    void isOverATimeOutAfterTheLastAnsweredHeartbeatWasSent() {
        clock.advance(10_000);
        assertThat(session.isOver()).as("not begun").isFalse();
        long sent = clock.nanoTime();
        clock.advance(1_000);
        session.onAnswered(sent);

        clock.advance(1_999);
        assertThat(session.isOver()).isFalse();
        clock.advance(1);
        assertThat(session.isOver()).isTrue();
        session.onAnswered(clock.nanoTime());

        assertThat(session.isOver()).isFalse();
    }

    @Test
    void isOverHalfATimeOutAfterThisNodeLostTheLeadAndNoLaterThanItWould() {
        session.onAnswered(clock.nanoTime());
        session.onLeadLost();
        clock.advance(1_499);
        assertThat(session.isOver()).isFalse();
        clock.advance(1);
        assertThat(session.isOver()).isTrue();

        long sent = clock.nanoTime();
        session.onAnswered(sent);
        clock.advance(2_900);
        session.onLeadLost();
        clock.advance(100);
        assertThat(session.isOver()).isTrue();
    }
}
