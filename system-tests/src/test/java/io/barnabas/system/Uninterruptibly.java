package io.barnabas.system;

/** Waits for a thread's end without the checked exception; an interrupt fails the test. */
final class Uninterruptibly {
    private Uninterruptibly() {}

    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while waiting for " + thread.getName(), e);
        }
    }
}
