package io.barnabas.system.checker;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * What one client did at a stretch: a transaction with its sends, polls and offsets, or the same outside a transaction.
 *
 * @param process one incarnation of a client: its operations follow one another, and its consumer's positions go on from one to the next
 * @param outcome of the transaction, or of the offsets' commit; each send outside a transaction has its own
 */
public record Operation(
        String process,
        Kind kind,
        Isolation isolation,
        Outcome outcome,
        Span span,
        List<Send> sends,
        List<Poll> polls,
        Optional<OffsetCommit> offsets) {
    /** Whether the parts stand or fall together. */
    public enum Kind {
        PLAIN,
        TRANSACTION
    }

    /** Of the polls. */
    public enum Isolation {
        COMMITTED,
        UNCOMMITTED
    }

    /**
     * Times of one clock.
     *
     * @param commitNs when the commit was asked for; {@link #NEVER} if it was not
     */
    public record Span(long beginNs, long commitNs, long endNs) {
        public static final long NEVER = Long.MAX_VALUE;
    }

    public Operation {
        sends = List.copyOf(sends);
        polls = List.copyOf(polls);
    }

    boolean transactional() {
        return kind == Kind.TRANSACTION;
    }

    /** Whether the broker has said that this send of the operation stands. */
    boolean promised(Send send) {
        return (transactional() ? outcome : send.outcome()) == Outcome.OK;
    }

    /** All reads in their order. */
    List<Read> reads() {
        List<Read> reads = new ArrayList<>();
        polls.forEach(poll -> reads.addAll(poll.reads()));
        return reads;
    }

    /** Begins the record of an operation; whoever does it fills it in and ends it. One thread. */
    public static Recording begin(String process, Kind kind) {
        return new Recording(process, kind);
    }

    /** An operation under way. */
    public static final class Recording {
        private final String process;
        private final Kind kind;
        private final long beginNs;
        private final List<Send> sends = new ArrayList<>();
        private final List<Poll> polls = new ArrayList<>();
        private Isolation isolation = Isolation.COMMITTED;
        private Optional<OffsetCommit> offsets = Optional.empty();
        private long commitNs = Span.NEVER;

        private Recording(String process, Kind kind) {
            this.process = process;
            this.kind = kind;
            this.beginNs = System.nanoTime();
        }

        public Recording isolation(Isolation of) {
            isolation = of;
            return this;
        }

        public Recording sent(Send send) {
            sends.add(send);
            return this;
        }

        public Recording polled(Poll poll) {
            polls.add(poll);
            return this;
        }

        public Recording offsets(OffsetCommit commit) {
            offsets = Optional.of(commit);
            return this;
        }

        /** To be called before the commit is asked for. */
        public Recording committing() {
            commitNs = System.nanoTime();
            return this;
        }

        /** Whether the commit has been asked for. */
        public boolean isCommitting() {
            return commitNs != Span.NEVER;
        }

        public Operation end(Outcome outcome) {
            Span span = new Span(beginNs, commitNs, System.nanoTime());
            return new Operation(process, kind, isolation, outcome, span, sends, polls, offsets);
        }
    }

    /** One line for a report. */
    String describe() {
        StringBuilder line = new StringBuilder(process)
                .append(' ')
                .append(kind)
                .append(' ')
                .append(outcome)
                .append(" at ")
                .append(span.beginNs() / 1_000_000)
                .append('–')
                .append(span.endNs() / 1_000_000)
                .append(" ms");
        sends.stream().limit(8).forEach(send -> line.append(" sent ")
                .append(send.value())
                .append(" to ")
                .append(at(send.partition(), send.offset()))
                .append(' ')
                .append(send.outcome()));
        polls.stream().filter(poll -> !poll.repositioned().isEmpty()).forEach(poll -> line.append(" repositioned ")
                .append(poll.repositioned()));
        List<Read> reads = reads();
        reads.stream().limit(8).forEach(read -> line.append(" read ")
                .append(read.value())
                .append(" from ")
                .append(at(read.partition(), read.offset())));
        if (reads.size() > 8) {
            line.append(" and ").append(reads.size() - 8).append(" more");
        }
        offsets.ifPresent(commit -> line.append(" offsets ").append(commit));
        return line.toString();
    }

    private static String at(TopicPartition partition, long offset) {
        return partition + "@" + offset;
    }
}
