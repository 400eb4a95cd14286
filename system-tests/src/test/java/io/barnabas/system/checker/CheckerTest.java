package io.barnabas.system.checker;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.checker.Anomaly.Kind;
import io.barnabas.system.checker.Operation.Isolation;
import io.barnabas.system.checker.Operation.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Each history is sound but for one thing, and the checker names just that. Times are moments of no particular unit. */
class CheckerTest {
    private static final TopicPartition IN = new TopicPartition("in", 0);
    private static final TopicPartition OUT = new TopicPartition("out", 0);
    private static final String GROUP = "transformers";

    private final List<Operation> operations = new ArrayList<>();
    private final Map<TopicPartition, List<Read>> committed = new HashMap<>();
    private final Map<TopicPartition, List<Read>> uncommitted = new HashMap<>();
    private final Map<TopicPartition, Long> offsets = new HashMap<>();

    @Test
    void a_sound_history_has_no_anomaly() {
        // Given plain sends, a transaction that commits, one that aborts, a transformation, and readers of both
        // isolations
        plainSend("p", 0, 10, sent(IN, 1, 0));
        transaction("t", Outcome.OK, span(11, 15, 20), sent(IN, 2, 1), sent(OUT, 3, 0));
        transaction("t", Outcome.FAILED, span(21, Span.NEVER, 30), sent(IN, 4, 3));
        transforms(Outcome.OK, span(31, 35, 40), output(5, 2, IN, 0), output(6, 3, IN, 1));
        polls("r", Isolation.COMMITTED, 41, 50, poll(45, read(IN, 0, 1), read(IN, 1, 2)));
        polls("u", Isolation.UNCOMMITTED, 22, 29, poll(25, read(IN, 0, 1), read(IN, 1, 2), read(IN, 3, 4)));
        inLog(read(IN, 0, 1), read(IN, 1, 2), read(OUT, 0, 3), read(OUT, 2, 5), read(OUT, 3, 6));
        abortedInLog(read(IN, 3, 4));
        offsets.put(IN, 2L);
        // Then
        assertThat(Checker.check(history())).isEmpty();
    }

    @Test
    void an_acknowledged_value_that_is_not_there_is_a_lost_write() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        plainSend("p", 11, 20, sent(IN, 2, 1));
        inLog(read(IN, 0, 1));
        assertOnly(Kind.LOST_WRITE);
    }

    @Test
    void a_committed_transaction_that_is_not_there_is_a_lost_write() {
        transaction("t", Outcome.OK, span(0, 5, 10), sent(IN, 1, 0));
        abortedInLog(read(IN, 0, 1));
        assertOnly(Kind.LOST_WRITE);
    }

    @Test
    void a_value_that_was_shown_and_is_gone_is_a_lost_write() {
        plainSend("p", 0, 10, unknown(IN, 1));
        polls("r", Isolation.COMMITTED, 11, 20, poll(15, read(IN, 0, 1)));
        assertOnly(Kind.LOST_WRITE);
    }

    @Test
    void a_committed_offset_that_went_back_is_a_lost_write() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        inLog(read(IN, 0, 1));
        operations.add(new Operation(
                "r",
                Operation.Kind.PLAIN,
                Isolation.COMMITTED,
                Outcome.OK,
                span(11, 12, 20),
                List.of(),
                List.of(),
                Optional.of(new OffsetCommit(GROUP, Map.of(IN, 1L)))));
        offsets.put(IN, 0L);
        assertOnly(Kind.LOST_WRITE);
    }

    @Test
    void a_value_at_two_places_is_a_duplicate() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        inLog(read(IN, 0, 1), read(IN, 1, 1));
        assertOnly(Kind.DUPLICATE);
    }

    @Test
    void two_outputs_of_one_record_are_a_duplicate() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        transforms(Outcome.OK, span(11, 15, 20), output(2, 0, IN, 0));
        transforms(Outcome.UNKNOWN, span(21, 25, 30), output(3, 2, IN, 0));
        inLog(read(IN, 0, 1), read(OUT, 0, 2), read(OUT, 2, 3));
        offsets.put(IN, 1L);
        assertOnly(Kind.DUPLICATE);
    }

    @Test
    void a_value_of_an_aborted_transaction_seen_is_an_aborted_read() {
        transaction("t", Outcome.FAILED, span(0, Span.NEVER, 10), sent(IN, 1, 0));
        abortedInLog(read(IN, 0, 1));
        polls("r", Isolation.COMMITTED, 11, 20, poll(15, read(IN, 0, 1)));
        assertOnly(Kind.ABORTED_READ);
    }

    @Test
    void an_aborted_value_that_read_committed_shows_at_the_end_is_an_aborted_read() {
        transaction("t", Outcome.FAILED, span(0, Span.NEVER, 10), sent(IN, 1, 0));
        inLog(read(IN, 0, 1));
        assertOnly(Kind.ABORTED_READ);
    }

    @Test
    void a_value_that_nobody_sent_is_an_unwritten_read() {
        inLog(read(IN, 0, 1));
        assertOnly(Kind.UNWRITTEN_READ);
    }

    @Test
    void a_value_seen_before_its_commit_was_asked_for_is_a_dirty_read() {
        transaction("t", Outcome.OK, span(0, 50, 60), sent(IN, 1, 0));
        polls("r", Isolation.COMMITTED, 10, 40, poll(30, read(IN, 0, 1)));
        inLog(read(IN, 0, 1));
        assertOnly(Kind.DIRTY_READ);
    }

    @Test
    void a_transaction_that_sees_its_own_value_has_a_precommitted_read() {
        operations.add(new Operation(
                "t",
                Operation.Kind.TRANSACTION,
                Isolation.COMMITTED,
                Outcome.OK,
                span(0, 20, 30),
                List.of(sent(IN, 1, 0)),
                List.of(poll(10, read(IN, 0, 1))),
                Optional.empty()));
        inLog(read(IN, 0, 1));
        assertOnly(Kind.PRECOMMITTED_READ);
    }

    @Test
    void a_step_back_within_an_operation_is_an_internal_nonmonotonic_poll() {
        plainSend("p", 0, 10, sent(IN, 1, 0), sent(IN, 2, 1));
        inLog(read(IN, 0, 1), read(IN, 1, 2));
        polls("r", Isolation.COMMITTED, 11, 20, poll(13, read(IN, 0, 1)), poll(15, read(IN, 0, 1)));
        assertOnly(Kind.INTERNAL_NONMONOTONIC_POLL);
    }

    @Test
    void a_step_back_between_operations_is_an_external_nonmonotonic_poll() {
        plainSend("p", 0, 10, sent(IN, 1, 0), sent(IN, 2, 1));
        inLog(read(IN, 0, 1), read(IN, 1, 2));
        polls("r", Isolation.COMMITTED, 11, 20, poll(13, read(IN, 0, 1), read(IN, 1, 2)));
        polls("r", Isolation.COMMITTED, 21, 30, poll(23, read(IN, 1, 2)));
        assertOnly(Kind.EXTERNAL_NONMONOTONIC_POLL);
    }

    @Test
    void a_position_that_was_moved_may_go_back_and_another_process_has_its_own() {
        plainSend("p", 0, 10, sent(IN, 1, 0), sent(IN, 2, 1));
        inLog(read(IN, 0, 1), read(IN, 1, 2));
        polls("r", Isolation.COMMITTED, 11, 20, poll(13, read(IN, 0, 1), read(IN, 1, 2)));
        polls("r", Isolation.COMMITTED, 21, 30, new Poll(23, Set.of(IN), List.of(read(IN, 0, 1))));
        polls("s", Isolation.COMMITTED, 21, 30, poll(23, read(IN, 0, 1)));
        assertThat(Checker.check(history())).isEmpty();
    }

    @Test
    void a_record_passed_over_is_skipped() {
        plainSend("p", 0, 10, sent(IN, 1, 0), sent(IN, 2, 1), sent(IN, 3, 2));
        inLog(read(IN, 0, 1), read(IN, 1, 2), read(IN, 2, 3));
        polls("r", Isolation.COMMITTED, 11, 20, poll(13, read(IN, 0, 1), read(IN, 2, 3)));
        assertOnly(Kind.SKIPPED_RECORD);
    }

    @Test
    void two_values_at_one_place_are_an_inconsistent_offset() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        plainSend("q", 0, 10, unknown(IN, 2));
        committed.put(IN, List.of(read(IN, 0, 1)));
        uncommitted.put(IN, List.of(read(IN, 0, 2)));
        assertOnly(Kind.INCONSISTENT_OFFSET);
    }

    @Test
    void a_value_elsewhere_than_acknowledged_is_an_inconsistent_offset() {
        plainSend("p", 0, 10, sent(IN, 1, 7));
        inLog(read(IN, 0, 1));
        assertOnly(Kind.INCONSISTENT_OFFSET);
    }

    @Test
    void appends_against_the_order_in_which_they_were_acknowledged_are_a_write_cycle() {
        // Given two clients, each of which sent the second value when the first was acknowledged, seen crosswise in two
        // partitions
        plainSend("p", 0, 10, sent(IN, 1, 1));
        plainSend("p", 11, 20, sent(OUT, 2, 0));
        plainSend("q", 0, 10, sent(OUT, 3, 1));
        plainSend("q", 11, 20, sent(IN, 4, 0));
        inLog(read(IN, 0, 4), read(IN, 1, 1), read(OUT, 0, 2), read(OUT, 1, 3));
        assertOnly(Kind.WRITE_CYCLE);
    }

    @Test
    void two_transactions_that_read_each_other_are_a_write_cycle() {
        transaction("t", Outcome.OK, span(0, 50, 60), List.of(poll(40, read(OUT, 0, 2))), sent(IN, 1, 0));
        transaction("u", Outcome.OK, span(0, 30, 70), List.of(poll(60, read(IN, 0, 1))), sent(OUT, 2, 0));
        inLog(read(IN, 0, 1), read(OUT, 0, 2));
        assertThat(kinds()).containsExactly(Kind.WRITE_CYCLE);
    }

    @Test
    void transactions_interleaved_crosswise_are_no_write_cycle() {
        transaction("t", Outcome.OK, span(0, 50, 60), sent(IN, 1, 0), sent(OUT, 2, 1));
        transaction("u", Outcome.OK, span(0, 50, 60), sent(OUT, 3, 0), sent(IN, 4, 1));
        inLog(read(IN, 0, 1), read(IN, 1, 4), read(OUT, 0, 3), read(OUT, 1, 2));
        assertThat(Checker.check(history())).isEmpty();
    }

    @Test
    void a_part_of_a_transaction_is_a_torn_transaction() {
        transaction("t", Outcome.UNKNOWN, span(0, 50, 60), sent(IN, 1, 0), sent(OUT, 2, 0));
        inLog(read(IN, 0, 1));
        abortedInLog(read(OUT, 0, 2));
        assertOnly(Kind.TORN_TRANSACTION);
    }

    @Test
    void an_output_without_its_offset_is_a_torn_transaction() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        transforms(Outcome.UNKNOWN, span(11, 15, 20), output(2, 0, IN, 0));
        inLog(read(IN, 0, 1), read(OUT, 0, 2));
        offsets.put(IN, 0L);
        assertOnly(Kind.TORN_TRANSACTION);
    }

    @Test
    void an_offset_without_its_output_is_named() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        transforms(Outcome.FAILED, span(11, Span.NEVER, 20), output(2, 0, IN, 0));
        inLog(read(IN, 0, 1));
        abortedInLog(read(OUT, 0, 2));
        offsets.put(IN, 1L);
        assertOnly(Kind.OFFSET_WITHOUT_OUTPUT);
    }

    @Test
    void operations_whose_end_is_unknown_may_be_there_or_not() {
        plainSend("p", 0, 10, unknown(IN, 1), unknown(IN, 2));
        transaction("t", Outcome.UNKNOWN, span(0, 5, 10), sent(IN, 3, 2), sent(OUT, 4, 0));
        transaction("u", Outcome.UNKNOWN, span(0, 5, 10), sent(IN, 5, 3), sent(OUT, 6, 1));
        inLog(read(IN, 0, 2), read(IN, 2, 3), read(OUT, 0, 4));
        abortedInLog(read(IN, 3, 5));
        abortedInLog(read(OUT, 1, 6));
        assertThat(Checker.check(history())).isEmpty();
    }

    @Test
    void a_component_is_found_in_a_graph_of_any_depth() {
        // Given a chain that recursion would not survive, whose end leads to its middle
        StrongComponents graph = new StrongComponents();
        int length = 200_000;
        IntStream.range(0, length).forEach(i -> graph.node());
        IntStream.range(1, length).forEach(i -> graph.edge(i - 1, i));
        graph.edge(length - 1, length / 2);
        // Then
        assertThat(graph.cycles()).singleElement().satisfies(cycle -> assertThat(cycle)
                .hasSize(length / 2));
    }

    @Test
    void what_is_found_does_not_depend_on_the_order_of_the_processes() {
        plainSend("p", 0, 10, sent(IN, 1, 0));
        plainSend("q", 11, 20, sent(IN, 2, 1));
        polls("r", Isolation.COMMITTED, 21, 30, poll(23, read(IN, 1, 2), read(IN, 0, 1)));
        inLog(read(IN, 0, 1));
        List<Kind> found = kinds();
        java.util.Collections.shuffle(operations, new Random(1));
        assertThat(kinds()).containsExactlyElementsOf(found).contains(Kind.LOST_WRITE);
    }

    private void assertOnly(Kind kind) {
        assertThat(Checker.check(history())).singleElement().satisfies(anomaly -> {
            assertThat(anomaly.kind()).isEqualTo(kind);
            assertThat(anomaly.toString()).startsWith(kind.name());
        });
    }

    private List<Kind> kinds() {
        return Checker.check(history()).stream().map(Anomaly::kind).toList();
    }

    private History history() {
        return new History(operations, committed, uncommitted, Map.of(GROUP, offsets));
    }

    private void plainSend(String process, long beginNs, long endNs, Send... sends) {
        operations.add(new Operation(
                process,
                Operation.Kind.PLAIN,
                Isolation.COMMITTED,
                Outcome.OK,
                span(beginNs, Span.NEVER, endNs),
                List.of(sends),
                List.of(),
                Optional.empty()));
    }

    private void transaction(String process, Outcome outcome, Span span, Send... sends) {
        transaction(process, outcome, span, List.of(), sends);
    }

    private void transaction(String process, Outcome outcome, Span span, List<Poll> polls, Send... sends) {
        operations.add(new Operation(
                process,
                Operation.Kind.TRANSACTION,
                Isolation.COMMITTED,
                outcome,
                span,
                List.of(sends),
                polls,
                Optional.empty()));
    }

    private void transforms(Outcome outcome, Span span, Send... outputs) {
        long past = 0;
        for (Send output : outputs) {
            past = Math.max(past, output.source().orElseThrow().offset() + 1);
        }
        operations.add(new Operation(
                "x",
                Operation.Kind.TRANSACTION,
                Isolation.COMMITTED,
                outcome,
                span,
                List.of(outputs),
                List.of(),
                Optional.of(new OffsetCommit(GROUP, Map.of(IN, past)))));
    }

    private void polls(String process, Isolation isolation, long beginNs, long endNs, Poll... polls) {
        operations.add(new Operation(
                process,
                Operation.Kind.PLAIN,
                isolation,
                Outcome.OK,
                span(beginNs, Span.NEVER, endNs),
                List.of(),
                List.of(polls),
                Optional.empty()));
    }

    private static Span span(long beginNs, long commitNs, long endNs) {
        return new Span(beginNs, commitNs, endNs);
    }

    private static Poll poll(long endNs, Read... reads) {
        return new Poll(endNs, Set.of(), List.of(reads));
    }

    private static Send sent(TopicPartition partition, long value, long offset) {
        return Send.of(partition, value, offset, Outcome.OK);
    }

    private static Send unknown(TopicPartition partition, long value) {
        return Send.of(partition, value, -1, Outcome.UNKNOWN);
    }

    private static Send output(long value, long offset, TopicPartition of, long at) {
        return new Send(OUT, value, offset, Outcome.OK, Optional.of(new Source(GROUP, of, at)));
    }

    private static Read read(TopicPartition partition, long offset, long value) {
        return new Read(partition, offset, value);
    }

    private void inLog(Read... reads) {
        for (Read read : reads) {
            committed.computeIfAbsent(read.partition(), p -> new ArrayList<>()).add(read);
        }
        abortedInLog(reads);
    }

    private void abortedInLog(Read... reads) {
        for (Read read : reads) {
            uncommitted
                    .computeIfAbsent(read.partition(), p -> new ArrayList<>())
                    .add(read);
        }
    }
}
