package io.barnabas.log;

import java.util.List;

/** What the simulated threads of a log have in common: there are as many as there is work, and none rests. */
public interface UnboundedLogThreads extends LogThreads {
    @Override
    default void cleaners(int threads) {
        // as many as there is work
    }

    @Override
    default void rest(long ms) {
        // nothing is bounded
    }

    @Override
    default void runAll(List<Runnable> tasks, int threads) {
        tasks.forEach(Runnable::run);
    }
}
