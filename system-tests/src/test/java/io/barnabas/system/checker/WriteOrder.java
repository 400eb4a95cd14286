package io.barnabas.system.checker;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * What must have happened before what. WRITE_CYCLE: something happened before itself.
 *
 * <p>Kafka's transactions are atomic for readers, but their writes are not isolated from each other: two of them may be interleaved in one
 * partition one way and in another the other way, so a cycle among whole transactions by the order of their writes proves nothing. The
 * nodes here are therefore moments: an operation's begin, each append, its last poll, its commit, its end. The edges: what an operation
 * does lies between its begin and its end, as far as it was acknowledged; appends to a partition are in the order of offsets (ww) and, for
 * one operation, in the order of sending; a commit precedes whoever reads its values (wr); an output follows its source's poll; and what
 * ended for one client before another began anything happened before it.
 */
final class WriteOrder {
    /** Numbers of an operation's nodes. */
    private record Moments(int begin, int poll, int commit, int end) {}

    private final History history;
    private final Sightings sightings;
    private final StrongComponents graph = new StrongComponents();
    private final List<Operation> operationOf = new ArrayList<>(); // by node
    private final IdentityHashMap<Operation, Moments> moments = new IdentityHashMap<>();
    private final Map<Long, Integer> appends = new HashMap<>(); // node by value

    WriteOrder(History history, Sightings sightings) {
        this.history = history;
        this.sightings = sightings;
    }

    /** The operations of each cycle, in the order of the history. */
    List<List<Operation>> cycles() {
        history.operations().forEach(this::within);
        history.operations().forEach(this::reads);
        history.uncommitted().values().forEach(this::offsets);
        realTime();
        List<List<Operation>> cycles = new ArrayList<>();
        for (List<Integer> cycle : graph.cycles()) {
            Set<Integer> nodes = new java.util.TreeSet<>(cycle);
            Set<Operation> operations = new LinkedHashSet<>();
            nodes.stream()
                    .map(operationOf::get)
                    .filter(java.util.Objects::nonNull)
                    .forEach(operations::add);
            cycles.add(List.copyOf(operations));
        }
        return cycles;
    }

    private void within(Operation operation) {
        Moments of = new Moments(node(operation), node(operation), node(operation), node(operation));
        moments.put(operation, of);
        graph.edge(of.begin, of.poll);
        graph.edge(of.poll, of.end);
        graph.edge(of.begin, of.commit);
        if (operation.transactional()) {
            graph.edge(of.poll, of.commit);
            if (operation.outcome() == Outcome.OK) {
                graph.edge(of.commit, of.end);
            }
        }
        Map<TopicPartition, Integer> before = new HashMap<>();
        for (Send send : operation.sends()) {
            if (sightings.places(send.value()).isEmpty()) {
                continue;
            }
            int append = node(operation);
            appends.put(send.value(), append);
            graph.edge(of.begin, append);
            if (send.outcome() == Outcome.OK) {
                graph.edge(append, of.end);
            }
            if (sightings.isCommitted(send.value())) {
                graph.edge(append, of.commit);
            }
            if (send.source().isPresent()) {
                graph.edge(of.poll, append);
            }
            Integer earlier = before.put(send.partition(), append);
            if (earlier != null) {
                graph.edge(earlier, append);
            }
        }
    }

    private void reads(Operation reader) {
        for (Read read : reader.reads()) {
            sightings
                    .writerOf(read.value())
                    .filter(w -> w.operation() != reader)
                    .ifPresent(writer -> {
                        boolean afterCommit = writer.operation().transactional()
                                && reader.isolation() == Operation.Isolation.COMMITTED
                                && sightings.isCommitted(read.value());
                        Integer append = appends.get(read.value());
                        Integer from = afterCommit ? Integer.valueOf(moments.get(writer.operation()).commit) : append;
                        if (from != null) {
                            graph.edge(from, moments.get(reader).poll);
                        }
                    });
        }
    }

    private void offsets(List<Read> log) {
        int before = -1;
        for (Read read : log) {
            Integer append = appends.get(read.value());
            boolean first =
                    append != null && sightings.places(read.value()).get(0).equals(read);
            if (first) {
                if (before >= 0) {
                    graph.edge(before, append);
                }
                before = append;
            }
        }
    }

    /** A chain of the moments at which operations end; who begins later comes after those before. */
    private void realTime() {
        TreeMap<Long, Integer> ends = new TreeMap<>();
        history.operations()
                .forEach(operation -> ends.computeIfAbsent(operation.span().endNs(), at -> node(null)));
        int before = -1;
        for (int node : ends.values()) {
            if (before >= 0) {
                graph.edge(before, node);
            }
            before = node;
        }
        for (Operation operation : history.operations()) {
            graph.edge(moments.get(operation).end, ends.get(operation.span().endNs()));
            Map.Entry<Long, Integer> earlier = ends.lowerEntry(operation.span().beginNs());
            if (earlier != null) {
                graph.edge(earlier.getValue(), moments.get(operation).begin);
            }
        }
    }

    private int node(Operation operation) {
        operationOf.add(operation);
        return graph.node();
    }
}
