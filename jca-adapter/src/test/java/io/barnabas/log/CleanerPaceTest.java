package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.ManualClock;
import org.junit.jupiter.api.Test;

/** What cleaners may read and write a second, on a clock that goes on while they rest. */
class CleanerPaceTest {
    private static final long CHUNK_BYTES = 100_000;

    private final ManualClock clock = new ManualClock();
    private final DirectLogThreads threads = new DirectLogThreads().restingOn(clock);
    private double bytesPerSecond = 1_000_000;
    private final CleanerPace pace = new CleanerPace(clock, threads, () -> bytesPerSecond);

    private long timeOf(int chunks) {
        long before = clock.monotonicMillis();
        for (int i = 0; i < chunks; i++) {
            pace.spent(CHUNK_BYTES);
        }
        return clock.monotonicMillis() - before;
    }

    @Test
    void aSecondIsTakenForTheBytesOfASecond() {
        assertThat(timeOf(100)).isBetween(9_500L, 10_000L);
    }

    @Test
    void aChangeOfTheBoundHoldsAtOnce() {
        assertThat(timeOf(100)).isGreaterThan(9_000);

        bytesPerSecond = Double.MAX_VALUE;

        assertThat(timeOf(100)).isZero();
    }

    @Test
    void aChangeOfTheBoundEndsARestThatIsUnderWay() {
        // Given
        long raisedAt = clock.monotonicMillis() + 2_500;
        CleanerPace slow =
                new CleanerPace(clock, threads, () -> clock.monotonicMillis() < raisedAt ? 1 : Double.MAX_VALUE);

        // When
        slow.spent(CHUNK_BYTES);

        // Then
        assertThat(threads.restedMs()).isEqualTo(3_000);
    }

    @Test
    void whoIsSlowerAnywayDoesNotRest() {
        for (int i = 0; i < 100; i++) {
            clock.advance(200);
            pace.spent(CHUNK_BYTES);
        }

        assertThat(threads.restedMs()).isZero();
    }

    @Test
    void nobodyRestsOnceTheCompactorStops() {
        pace.stop();

        assertThat(timeOf(100)).isZero();
        assertThat(pace.stopped()).isTrue();
    }
}
