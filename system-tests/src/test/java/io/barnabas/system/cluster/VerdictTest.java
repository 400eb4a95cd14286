package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.cluster.Verdict.Entry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The counting, on logs made by hand: a harness that finds nothing must be known to find something. */
class VerdictTest {
    @Test
    void a_log_with_all_that_was_acknowledged_and_a_record_more_is_flawless() {
        Verdict verdict = of(Map.of(0L, 0L, 1L, 1L), Map.of(0L, 0L), entry(0, 0), entry(1, 1), entry(2, 2));

        assertThat(verdict).isEqualTo(new Verdict(2, 0, 0, 0, 0, 0, null));
        assertThat(verdict.flawless()).isTrue();
    }

    @Test
    void an_acknowledged_number_that_is_not_there_is_lost_and_its_offset_has_changed() {
        Verdict verdict = of(Map.of(0L, 0L, 1L, 1L, 2L, 2L), Map.of(), entry(0, 0), entry(1, 2));

        assertThat(verdict.lost()).isOne();
        assertThat(verdict.changed()).as("of number 1 and of number 2").isEqualTo(2);
        assertThat(verdict.flawless()).isFalse();
    }

    @Test
    void a_number_that_is_there_twice_is_a_duplicate_and_not_out_of_order() {
        Verdict verdict = of(Map.of(0L, 0L, 1L, 1L), Map.of(), entry(0, 0), entry(1, 1), entry(2, 0));

        assertThat(verdict).isEqualTo(new Verdict(2, 0, 1, 0, 0, 0, null));
    }

    @Test
    void a_number_behind_a_greater_one_is_out_of_order() {
        Verdict verdict = of(Map.of(0L, 1L, 1L, 0L), Map.of(), entry(0, 1), entry(1, 0));

        assertThat(verdict).isEqualTo(new Verdict(2, 0, 0, 1, 0, 0, null));
    }

    @Test
    void what_a_reader_saw_and_is_no_more_there_has_changed() {
        assertThat(of(Map.of(), Map.of(0L, 7L), entry(0, 8)).changed()).isOne();
        assertThat(of(Map.of(), Map.of(0L, 7L)).changed()).isOne();
    }

    @Test
    void a_send_that_was_given_up_is_a_flaw() {
        assertThat(Verdict.of(Map.of(), Map.of(), List.of(), 1, new IllegalStateException())
                        .flawless())
                .isFalse();
    }

    @Test
    void the_longest_gap_is_that_between_two_acknowledgements_from_a_moment_on() {
        AcknowledgementTimes times = new AcknowledgementTimes();
        for (long millis : new long[] {0, 900, 1_000, 1_500, 1_600}) {
            times.add(Duration.ofMillis(millis).toNanos());
        }

        assertThat(times.longestGapSince(0)).isEqualTo(Duration.ofMillis(900));
        assertThat(times.longestGapSince(3)).isEqualTo(Duration.ofMillis(500));
        assertThat(times.longestGapSince(4)).isEqualTo(Duration.ofMillis(100));
    }

    private static Verdict of(Map<Long, Long> acknowledged, Map<Long, Long> seen, Entry... log) {
        return Verdict.of(acknowledged, seen, List.of(log), 0, null);
    }

    private static Entry entry(long offset, long number) {
        return new Entry(offset, number);
    }
}
