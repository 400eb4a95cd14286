package io.barnabas.ejb;

import io.barnabas.partition.TopicFigures;
import io.barnabas.time.Clock;
import io.barnabas.time.Rounds;
import io.barnabas.time.Ticker;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Rates of topics over the last two samples, taken every {@value #SAMPLE_MS} ms from counters that only rise: nothing is measured on the
 * data path for it.
 *
 * <p>Sampled on a worker, one round at a time; read by any.
 */
final class TopicRates {
    private static final long SAMPLE_MS = 2_000;

    /** Each second's worth. */
    record Rate(double recordsIn, double bytesIn, double bytesOut) {
        static final Rate NONE = new Rate(0, 0, 0);
    }

    private record Counts(long recordsIn, long bytesIn, long bytesOut) {
        static final Counts ZERO = new Counts(0, 0, 0);

        Rate since(Counts before, double seconds) {
            return new Rate(
                    (recordsIn - before.recordsIn) / seconds,
                    (bytesIn - before.bytesIn) / seconds,
                    (bytesOut - before.bytesOut) / seconds);
        }
    }

    private final Supplier<Map<String, TopicFigures>> figures;
    private final Clock clock;
    private final Rounds samples;
    private volatile Map<String, Rate> rates = Map.of();
    private Map<String, Counts> last = Map.of(); // of the round, after start
    private long lastNanos;

    TopicRates(Supplier<Map<String, TopicFigures>> figures, Clock clock, Ticker ticker, Executor workers) {
        this.figures = figures;
        this.clock = clock;
        this.samples = new Rounds(ticker, workers, SAMPLE_MS, this::sample);
    }

    void start() {
        lastNanos = clock.nanoTime();
        last = counts();
        samples.start();
    }

    private void sample() {
        long now = clock.nanoTime();
        double seconds = Math.max(1e-3, (now - lastNanos) / 1e9);
        Map<String, Counts> present = counts();
        Map<String, Rate> fresh = new HashMap<>();
        present.forEach(
                (topic, count) -> fresh.put(topic, count.since(last.getOrDefault(topic, Counts.ZERO), seconds)));
        rates = fresh;
        last = present;
        lastNanos = now;
    }

    private Map<String, Counts> counts() {
        Map<String, Counts> counts = new HashMap<>();
        figures.get()
                .forEach((topic, of) -> counts.put(topic, new Counts(of.recordsIn(), of.bytesIn(), of.bytesOut())));
        return counts;
    }

    Rate of(String topic) {
        return rates.getOrDefault(topic, Rate.NONE);
    }

    Rate total() {
        double records = 0;
        double in = 0;
        double out = 0;
        for (Rate rate : rates.values()) {
            records += rate.recordsIn;
            in += rate.bytesIn;
            out += rate.bytesOut;
        }
        return new Rate(records, in, out);
    }

    void close() {
        samples.close();
    }
}
