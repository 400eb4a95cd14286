package io.barnabas.simulation;

import io.barnabas.coordinator.group.ClientInfo;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.partition.LocalPartition;
import io.barnabas.simulation.SimulatedTransaction.Fate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** What must be so of transactions: at any time, as far as a consumer sees it, and at the end. */
final class TransactionChecks {
    private static final ClientInfo CLIENT = new ClientInfo((short) 9, "c", "/h");

    private final List<SimulatedTransaction> transactions = new ArrayList<>();
    private final Map<String, SimulatedTransaction> owners = new HashMap<>(); // of values
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<Fence> fences = new ArrayList<>();
    private final Map<Long, String> ids = new HashMap<>(); // by producer id
    private final Map<String, Long> offsets = new HashMap<>(); // as seen last
    private final Map<TopicPartition, Set<String>> seen = new HashMap<>();
    private final Map<TopicPartition, CommittedReader> readers = new HashMap<>();

    /** From these offsets on nobody writes who had the transactional id before. */
    private record Fence(String transactionalId, ProducerIdentity producer, Map<TopicPartition, Long> ends) {}

    static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    private static List<TopicPartition> partitions() {
        List<TopicPartition> all = new ArrayList<>();
        for (int i = 0; i < TransactionNode.PARTITIONS; i++) {
            all.add(new TopicPartition(TransactionNode.TOPIC, i));
        }
        return all;
    }

    // ---- what happens

    SimulatedTransaction begin(String transactionalId) {
        SimulatedTransaction begun =
                new SimulatedTransaction(transactionalId, numbers.merge(transactionalId, 1, Integer::sum));
        transactions.add(begun);
        return begun;
    }

    void onWrite(SimulatedTransaction of, String value) {
        owners.put(value, of);
    }

    void onInitialised(String transactionalId, ProducerIdentity producer, TransactionNode node) {
        ids.put(producer.id(), transactionalId);
        Map<TopicPartition, Long> ends = new HashMap<>();
        partitions()
                .forEach(partition ->
                        ends.put(partition, node.leader(partition).log().logEndOffset()));
        fences.add(new Fence(transactionalId, producer, ends));
    }

    List<SimulatedTransaction> transactions() {
        return transactions;
    }

    // ---- at any time

    /** What consumers see now: each value once, none that is not decided, and what was seen stays. */
    void poll(TransactionNode node) throws IOException {
        for (TopicPartition partition : partitions()) {
            CommittedReader reader = readers.computeIfAbsent(
                    partition,
                    of -> new CommittedReader(value -> {
                        @Nullable SimulatedTransaction owner = owners.get(value);
                        require(owner != null, value + " is nobody's");
                        require(owner.askedToCommit && owner.fate != Fate.ABORTED, "read " + value + " of " + owner);
                        require(
                                of.equals(owner.values.get(value)),
                                value + " is in " + of + " instead of its partition");
                        require(seen.computeIfAbsent(of, p -> new HashSet<>()).add(value), value + " is there twice");
                    }));
            require(
                    reader.poll(node.leader(partition)),
                    "the last stable offset of " + partition + " goes back from " + reader.stable());
        }
        for (String transactionalId : numbers.keySet()) {
            OptionalLong offset = offset(node, transactionalId, false);
            if (offset.isPresent()) {
                long before = offsets.getOrDefault(transactionalId, 0L);
                require(offset.getAsLong() >= before, "the offset of " + transactionalId + " goes back from " + before);
                offsets.put(transactionalId, offset.getAsLong());
                checkOffset(transactionalId, offset.getAsLong(), false);
            }
        }
    }

    /** The group's committed offset, 0 if it has none; empty while the coordinator is not to be had. */
    private static OptionalLong offset(TransactionNode node, String group, boolean stable) {
        OffsetFetchRequestGroup request = new OffsetFetchRequestGroup()
                .setGroupId(group)
                .setTopics(List.of(new OffsetFetchRequestTopics()
                        .setName(TransactionNode.TOPIC)
                        .setPartitionIndexes(List.of(0))));
        CompletableFuture<OffsetFetchResponseGroup> fetch = node.groups.fetch(CLIENT, request, stable);
        if (!fetch.isDone() || fetch.join().errorCode() != 0) {
            return OptionalLong.empty();
        }
        OffsetFetchResponsePartitions answer =
                fetch.join().topics().get(0).partitions().get(0);
        require(answer.errorCode() == 0, "offsets of " + group + ": " + Errors.forCode(answer.errorCode()));
        return OptionalLong.of(Math.max(0, answer.committedOffset()));
    }

    private void checkOffset(String transactionalId, long offset, boolean atEnd) {
        for (SimulatedTransaction transaction : transactions) {
            if (transaction.transactionalId.equals(transactionalId) && transaction.committedOffset) {
                boolean isThis = transaction.number == offset;
                boolean mayBe = transaction.askedToCommit && transaction.fate != Fate.ABORTED;
                require(!isThis || mayBe, "the offset " + offset + " is of " + transaction);
                require(
                        !atEnd || transaction.fate != Fate.COMMITTED || transaction.number <= offset,
                        "the offset " + offset + " is before that of " + transaction);
            }
        }
    }

    // ---- at the end

    /** Everything has come to rest: each transaction is in all of its partitions or in none, as its producer was told. */
    void atEnd(TransactionNode node) throws IOException {
        requireNoneOpen(node);
        poll(node);
        Set<String> there = new HashSet<>();
        seen.values().forEach(there::addAll);
        for (TopicPartition partition : partitions()) {
            Set<String> again = new HashSet<>();
            new CommittedReader(again::add).poll(node.leader(partition));
            require(
                    again.equals(seen.getOrDefault(partition, Set.of())),
                    "read otherwise the second time " + partition);
            scan(partition, node.leader(partition));
        }
        transactions.forEach(transaction -> check(transaction, there));
        for (String transactionalId : numbers.keySet()) {
            OptionalLong offset = offset(node, transactionalId, true);
            require(offset.isPresent(), "offsets are not fetched");
            checkOffset(transactionalId, offset.getAsLong(), true);
        }
    }

    private static ListTransactionsResponseData open(TransactionNode node) {
        CompletableFuture<ListTransactionsResponseData> open = node.transactions.list(
                new ListTransactionsRequestData().setStateFilters(List.of("Ongoing", "PrepareCommit", "PrepareAbort")));
        require(open.isDone(), "transactions are not listed");
        return open.join();
    }

    /** The coordinators are there and have no transaction that is open or ending. */
    static boolean noneIsOpen(TransactionNode node) {
        ListTransactionsResponseData open = open(node);
        return open.errorCode() == 0 && open.transactionStates().isEmpty();
    }

    private static void requireNoneOpen(TransactionNode node) {
        require(noneIsOpen(node), "left open: " + open(node));
        for (TopicPartition partition : partitions()) {
            LocalPartition leader = node.leader(partition);
            require(leader.lastStableOffset() == leader.highWatermark(), "an open transaction hangs in " + partition);
        }
    }

    private static void check(SimulatedTransaction transaction, Set<String> all) {
        Set<String> there = new HashSet<>(transaction.values.keySet());
        there.retainAll(all);
        boolean whole = there.equals(transaction.values.keySet());
        switch (transaction.fate) {
            case COMMITTED -> require(whole, "lost of " + transaction + ": has " + there);
            case ABORTED -> require(there.isEmpty(), "aborted and read: " + transaction + ": " + there);
            case UNKNOWN -> {
                require(whole || there.isEmpty(), "torn: " + transaction);
                if (!transaction.values.isEmpty()) {
                    transaction.fate = there.isEmpty() ? Fate.ABORTED : Fate.COMMITTED;
                }
            }
            case OPEN -> throw new AssertionError("open: " + transaction);
        }
    }

    private void scan(TopicPartition partition, LocalPartition leader) throws IOException {
        CommittedReader.scan(leader, batch -> {
            if (batch.isControlBatch()) {
                return;
            }
            for (Fence fence : fences) {
                boolean after = batch.baseOffset() >= fence.ends.get(partition);
                boolean older = batch.producerId() == fence.producer.id()
                        ? batch.producerEpoch() < fence.producer.epoch()
                        : batch.producerId() < fence.producer.id()
                                && fence.transactionalId.equals(ids.get(batch.producerId()));
                require(!after || !older, "a producer wrote after " + fence + ": " + batch);
            }
        });
    }
}
