package io.barnabas.partition;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Hands a list of disk work to the resource adapter's threads, which are never interrupted, and waits for it: the metadata thread
 * may be the container's, and an interrupted thread closes the file that it touches.
 */
final class Workers {
    /** Fewer than there are workers: the controller's commands are theirs, too, and do not wait for a thousand logs. */
    private static final int PARALLELISM = 3;

    private final Executor executor;

    Workers(Executor executor) {
        this.executor = executor;
    }

    /** Runs one task some time. */
    void run(Runnable task) {
        executor.execute(task);
    }

    /** Runs all tasks, which must not throw, several at a time; returns when the last is done. */
    void runAll(List<Runnable> tasks) {
        int runners = Math.min(PARALLELISM, tasks.size());
        AtomicInteger next = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(tasks.size());
        for (int i = 0; i < runners; i++) {
            executor.execute(() -> {
                for (int at = next.getAndIncrement(); at < tasks.size(); at = next.getAndIncrement()) {
                    try {
                        tasks.get(at).run();
                    } finally {
                        done.countDown();
                    }
                }
            });
        }
        awaitUninterruptibly(done);
    }

    private static void awaitUninterruptibly(CountDownLatch done) {
        boolean interrupted = false;
        while (true) {
            try {
                done.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
