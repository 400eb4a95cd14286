package io.barnabas.time;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LatencyHistogramTest {
    @Test
    void everyValueFallsBelowItsBucketsBoundAndNotBelowTheOneBefore() {
        for (long nanos = 1; nanos < 200_000_000_000L; nanos = nanos * 17 / 16 + 1) {
            LatencyHistogram histogram = new LatencyHistogram();
            histogram.record(nanos);
            long bound = histogram.quantileNanos(1);
            assertThat(bound).isGreaterThan(nanos);
            if (nanos > 2_048 && bound != Long.MAX_VALUE) {
                assertThat(bound).isLessThanOrEqualTo(nanos + nanos / 4 + 1);
            }
        }
    }

    @Test
    void quantilesAreInOrder() {
        LatencyHistogram histogram = new LatencyHistogram();
        for (int i = 1; i <= 100; i++) {
            histogram.record(i * 10_000L);
        }
        assertThat(histogram.quantileNanos(0.5)).isBetween(500_000L, 640_000L);
        assertThat(histogram.quantileNanos(0.99)).isBetween(990_000L, 1_300_000L);
        assertThat(histogram.totalNanos()).isEqualTo(50_500_000L);
    }
}
