package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.ManualClock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class DiskWatchTest {
    private final ManualClock clock = new ManualClock();
    private final Deque<Runnable> work = new ArrayDeque<>();
    private boolean full;
    private Runnable hang = () -> {};
    private final DiskWatch watch = new DiskWatch(
            () -> {
                hang.run();
                return !full;
            },
            work::add,
            clock,
            3_000);

    @Test
    void tellsWhatTheLastLookFoundAndLooksOnAWorker() {
        // Given
        full = true;
        // When
        assertThat(watch.writable()).isTrue();
        work.remove().run();
        // Then
        assertThat(watch.writable()).isFalse();
        // When there is room again
        full = false;
        work.remove().run();
        // Then
        assertThat(watch.writable()).isTrue();
    }

    @Test
    void takesADiskThatDoesNotAnswerForOneThatCannotBeWrittenHoweverBusyTheWorkersAre() {
        // Given a look that waits for a worker
        assertThat(watch.writable()).isTrue();
        clock.advance(10_000);
        assertThat(watch.writable()).isTrue();
        assertThat(work).as("one look at a time").hasSize(1);
        // When a worker is at it, and the disk does not answer
        List<Boolean> meanwhile = new ArrayList<>();
        hang = () -> {
            clock.advance(2_999);
            meanwhile.add(watch.writable());
            clock.advance(1);
            meanwhile.add(watch.writable());
        };
        work.remove().run();
        // Then
        assertThat(meanwhile).containsExactly(true, false);
        // When it has answered
        assertThat(watch.writable()).isTrue();
    }

    @Test
    void goesOnLookingAfterALookThatFailed() {
        // Given
        DiskWatch failing = new DiskWatch(
                () -> {
                    throw new IllegalStateException("a defect");
                },
                task -> {
                    try {
                        task.run();
                    } catch (IllegalStateException e) {
                        work.add(task);
                    }
                },
                clock,
                3_000);
        // When
        boolean first = failing.writable();
        failing.writable();
        // Then
        assertThat(first).isFalse();
        assertThat(work).hasSize(2);
    }
}
