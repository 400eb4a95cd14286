package io.barnabas.ra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class StandalonePortTest {
    private final StandalonePort port = new StandalonePort((settings, clock, ticker, workers) -> {
        throw new IllegalStateException("no logs here");
    });

    @Test
    @Timeout(30)
    void clients_look_ups_leave_the_workers_free_and_are_refused_beyond_their_bound() throws Exception {
        // Given clients that keep every thread of theirs busy, and all room to wait taken
        CountDownLatch hold = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(StandalonePort.SCANS + StandalonePort.SCANS_WAITING_MAX);
        for (int i = 0; i < StandalonePort.SCANS + StandalonePort.SCANS_WAITING_MAX; i++) {
            port.scans().execute(() -> {
                awaitQuietly(hold);
                done.countDown();
            });
        }
        // Then one more is refused, and the broker's own work is done
        assertThatThrownBy(() -> port.scans().execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        CountDownLatch worked = new CountDownLatch(1);
        port.workers().execute(worked::countDown);
        assertThat(worked.await(10, TimeUnit.SECONDS)).isTrue();
        // When they are through, others may come, and closing waits for nobody
        hold.countDown();
        assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
        CountDownLatch again = new CountDownLatch(1);
        port.scans().execute(again::countDown);
        assertThat(again.await(10, TimeUnit.SECONDS)).isTrue();
        port.close();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
