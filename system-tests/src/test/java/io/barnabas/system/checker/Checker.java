package io.barnabas.system.checker;

import io.barnabas.system.checker.Anomaly.Kind;
import io.barnabas.system.checker.Operation.Isolation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * Finds in a history what must not be. The anomalies are those of Jepsen's workload for Kafka, and of a group that consumes,
 * transforms and produces in transactions; each has a method that says what it is.
 *
 * <p>Deterministic: the same history gives the same anomalies in the same order. An operation whose end is unknown accuses nobody by
 * being there or not; only half of it does.
 */
public final class Checker {
    private final History history;
    private final Sightings sightings;
    private final List<Anomaly> anomalies = new ArrayList<>();

    private Checker(History history) {
        this.history = history;
        this.sightings = new Sightings(history);
    }

    /** All anomalies of a history, kind by kind. */
    public static List<Anomaly> check(History history) {
        Checker checker = new Checker(history);
        checker.lostWrites();
        checker.lostOffsets();
        checker.duplicates();
        checker.duplicateOutputs();
        checker.abortedReads();
        checker.unwrittenReads();
        checker.dirtyReads();
        checker.precommittedReads();
        checker.movesOfPositions();
        checker.inconsistentOffsets();
        checker.acknowledgedElsewhere();
        checker.writeCycles();
        checker.tornTransactions();
        checker.outputsWithoutOffset();
        checker.offsetsWithoutOutput();
        return checker.anomalies;
    }

    /**
     * LOST_WRITE: a value that was acknowledged, or whose transaction was committed, or that a poll with read_committed has returned, is
     * not in the log that read_committed shows at the end.
     */
    private void lostWrites() {
        Set<Long> shown = new HashSet<>();
        forEachCommittedPoll((reader, poll) -> poll.reads().forEach(read -> shown.add(read.value())));
        for (Sightings.Written written : sightings.writes()) {
            Operation writer = written.operation();
            long value = written.send().value();
            boolean aborted = writer.transactional() && writer.outcome() == Outcome.FAILED;
            boolean kept = writer.promised(written.send()) || shown.contains(value) && !aborted;
            if (kept && !sightings.isCommitted(value)) {
                found(Kind.LOST_WRITE, value + " is missing", writer);
            }
        }
    }

    /** LOST_WRITE too: a group's offset is before one whose commit was acknowledged. */
    private void lostOffsets() {
        for (Operation operation : history.operations()) {
            if (operation.outcome() != Outcome.OK || operation.offsets().isEmpty()) {
                continue;
            }
            OffsetCommit commit = operation.offsets().get();
            new TreeMap<>(byName(commit.offsets())).forEach((name, offset) -> {
                long stored = stored(commit.group(), name);
                if (stored < offset) {
                    found(Kind.LOST_WRITE, "offset " + stored + " of " + name + " is before " + offset, operation);
                }
            });
        }
    }

    private static Map<String, Long> byName(Map<TopicPartition, Long> offsets) {
        Map<String, Long> named = new HashMap<>();
        offsets.forEach((partition, offset) -> named.put(partition.toString(), offset));
        return named;
    }

    private long stored(String group, String partition) {
        return byName(history.groupOffsets().getOrDefault(group, Map.of())).getOrDefault(partition, -1L);
    }

    /** DUPLICATE: a value is, or was seen, at two places. */
    private void duplicates() {
        Map<Long, Set<String>> places = new LinkedHashMap<>();
        for (Read read : allReads()) {
            places.computeIfAbsent(read.value(), value -> new LinkedHashSet<>(1))
                    .add(place(read.partition(), read.offset()));
        }
        places.forEach((value, at) -> {
            if (at.size() > 1) {
                found(Kind.DUPLICATE, value + " is at " + at, writers(value));
            }
        });
    }

    /** DUPLICATE too: a group has two committed outputs of one record. */
    private void duplicateOutputs() {
        committedOutputs().forEach((source, operations) -> {
            if (operations.size() > 1) {
                found(Kind.DUPLICATE, source + " has " + operations.size() + " outputs", operations);
            }
        });
    }

    /** The operations whose output of a record is committed, by that record. */
    private Map<Source, List<Operation>> committedOutputs() {
        Map<Source, List<Operation>> outputs = new LinkedHashMap<>();
        for (Sightings.Written written : sightings.writes()) {
            Optional<Source> source = written.send().source();
            if (source.isPresent() && sightings.isCommitted(written.send().value())) {
                outputs.computeIfAbsent(source.get(), s -> new ArrayList<>(1)).add(written.operation());
            }
        }
        return outputs;
    }

    /** ABORTED_READ: who reads what is committed, now or at the end, sees a value of a transaction that was not committed. */
    private void abortedReads() {
        Set<Long> accused = new HashSet<>();
        for (Read read : committedReads()) {
            sightings.writerOf(read.value()).ifPresent(writer -> {
                boolean aborted =
                        writer.operation().transactional() && writer.operation().outcome() == Outcome.FAILED;
                if (aborted && accused.add(read.value())) {
                    found(Kind.ABORTED_READ, "aborted " + read + " is seen", writer.operation());
                }
            });
        }
    }

    /** UNWRITTEN_READ: a value that nobody sent. */
    private void unwrittenReads() {
        Set<Read> accused = new HashSet<>();
        for (Read read : allReads()) {
            if (sightings.writerOf(read.value()).isEmpty() && accused.add(read)) {
                found(Kind.UNWRITTEN_READ, "nobody wrote " + read, List.of());
            }
        }
    }

    /** DIRTY_READ: a poll with read_committed returned a value before the commit of its transaction was asked for. */
    private void dirtyReads() {
        forEachCommittedPoll((reader, poll) -> poll.reads().forEach(read -> sightings
                .writerOf(read.value())
                .map(Sightings.Written::operation)
                .filter(writer -> writer != reader && writer.transactional() && writer.outcome() != Outcome.FAILED)
                .filter(writer -> poll.endNs() < writer.span().commitNs())
                .ifPresent(writer -> found(Kind.DIRTY_READ, read + " before its commit", writer, reader))));
    }

    /** PRECOMMITTED_READ: a transaction reads, with read_committed, what it wrote itself. */
    private void precommittedReads() {
        forEachCommittedPoll((reader, poll) -> {
            Set<Long> own = new HashSet<>();
            if (reader.transactional()) {
                reader.sends().forEach(send -> own.add(send.value()));
            }
            poll.reads().stream()
                    .filter(read -> own.contains(read.value()))
                    .forEach(read -> found(Kind.PRECOMMITTED_READ, read + " by its own transaction", reader));
        });
    }

    private void forEachCommittedPoll(java.util.function.BiConsumer<Operation, Poll> action) {
        for (Operation operation : history.operations()) {
            if (operation.isolation() == Isolation.COMMITTED) {
                operation.polls().forEach(poll -> action.accept(operation, poll));
            }
        }
    }

    /** INTERNAL_ and EXTERNAL_NONMONOTONIC_POLL and SKIPPED_RECORD: see {@link Positions}. */
    private void movesOfPositions() {
        Map<String, Positions> processes = new HashMap<>();
        for (Operation operation : history.operations()) {
            processes
                    .computeIfAbsent(operation.process(), process -> new Positions(sightings, anomalies))
                    .follow(operation);
        }
    }

    /** INCONSISTENT_OFFSET: two values were seen, or acknowledged, at one place. */
    private void inconsistentOffsets() {
        Map<String, Set<Long>> values = new LinkedHashMap<>();
        for (Read read : allReads()) {
            values.computeIfAbsent(place(read.partition(), read.offset()), at -> new LinkedHashSet<>(1))
                    .add(read.value());
        }
        values.forEach((place, at) -> {
            if (at.size() > 1) {
                found(Kind.INCONSISTENT_OFFSET, place + " held " + at, List.of());
            }
        });
    }

    /** INCONSISTENT_OFFSET too: a value is in the log, but not where its producer was told. */
    private void acknowledgedElsewhere() {
        for (Sightings.Written written : sightings.writes()) {
            Send send = written.send();
            List<Read> places = sightings.places(send.value());
            boolean there = places.stream()
                    .anyMatch(read ->
                            read.offset() == send.offset() && read.partition().equals(send.partition()));
            if (send.offset() >= 0 && !places.isEmpty() && !there) {
                found(Kind.INCONSISTENT_OFFSET, send + " is at " + places, written.operation());
            }
        }
    }

    /** WRITE_CYCLE: see {@link WriteOrder}. */
    private void writeCycles() {
        for (List<Operation> cycle : new WriteOrder(history, sightings).cycles()) {
            found(Kind.WRITE_CYCLE, cycle.size() + " operations each happened before the other", cycle);
        }
    }

    /** TORN_TRANSACTION: of a transaction whose end is unknown a part is committed. */
    private void tornTransactions() {
        for (Operation operation : history.operations()) {
            if (!operation.transactional() || operation.outcome() != Outcome.UNKNOWN) {
                continue;
            }
            long there = operation.sends().stream()
                    .filter(send -> sightings.isCommitted(send.value()))
                    .count();
            int all = operation.sends().size();
            if (there > 0 && there < all) {
                found(Kind.TORN_TRANSACTION, there + " of " + all + " are committed", operation);
            }
        }
    }

    /** TORN_TRANSACTION too: the output of a record is committed, but the group's offset is not past that record. */
    private void outputsWithoutOffset() {
        committedOutputs().forEach((source, operations) -> {
            long stored = stored(source.group(), source.partition().toString());
            if (stored <= source.offset()) {
                found(Kind.TORN_TRANSACTION, "an output of " + source + ", but the offset is " + stored, operations);
            }
        });
    }

    /** OFFSET_WITHOUT_OUTPUT: the offset of a group that transforms is past a record that has no committed output. */
    private void offsetsWithoutOutput() {
        Map<Source, List<Operation>> outputs = committedOutputs();
        Set<String> transforming = new LinkedHashSet<>();
        sightings.writes().forEach(w -> w.send().source().ifPresent(source -> transforming.add(source.group())));
        for (String group : transforming) {
            Map<TopicPartition, Long> offsets = history.groupOffsets().getOrDefault(group, Map.of());
            history.committed().forEach((partition, log) -> {
                long stored = offsets.getOrDefault(partition, 0L);
                log.stream()
                        .map(read -> new Source(group, partition, read.offset()))
                        .filter(source -> source.offset() < stored && !outputs.containsKey(source))
                        .forEach(source -> found(
                                Kind.OFFSET_WITHOUT_OUTPUT,
                                source + " has no output, but the offset is " + stored,
                                attempts(source)));
            });
        }
    }

    private List<Operation> attempts(Source source) {
        return sightings.writes().stream()
                .filter(written -> written.send().source().equals(Optional.of(source)))
                .map(Sightings.Written::operation)
                .toList();
    }

    /** Reads of who reads what is committed, while the clients ran and at the end. */
    private List<Read> committedReads() {
        List<Read> reads = new ArrayList<>();
        forEachCommittedPoll((operation, poll) -> reads.addAll(poll.reads()));
        history.committed().values().forEach(reads::addAll);
        return reads;
    }

    private List<Read> allReads() {
        List<Read> reads = new ArrayList<>();
        history.operations().forEach(operation -> reads.addAll(operation.reads()));
        history.committed().values().forEach(reads::addAll);
        history.uncommitted().values().forEach(reads::addAll);
        return reads;
    }

    private List<Operation> writers(long value) {
        return sightings.writerOf(value).stream()
                .map(Sightings.Written::operation)
                .toList();
    }

    private static String place(TopicPartition partition, long offset) {
        return partition + "@" + offset;
    }

    private void found(Kind kind, String detail, Operation... operations) {
        found(kind, detail, List.of(operations));
    }

    private void found(Kind kind, String detail, List<Operation> operations) {
        anomalies.add(new Anomaly(kind, detail, operations));
    }
}
