package io.barnabas.system;

import io.barnabas.system.checker.OffsetCommit;
import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import io.barnabas.system.checker.Poll;
import io.barnabas.system.checker.Read;
import io.barnabas.system.checker.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Consumes one topic in a group, writes an output for each record to the other, and commits both in one transaction. */
final class Transformer extends TransactionalClient {
    private final String group;
    private final String protocol;

    Transformer(String name, String bootstrap, long seed, String protocol) {
        super(name, bootstrap, seed);
        this.group = protocol + "-transformers";
        this.protocol = protocol;
    }

    @Override
    void live() {
        KafkaProducer<byte[], Long> producer = transactionalProducer();
        try (KafkaConsumer<byte[], Long> consumer = consumer(member(group, protocol))) {
            producer.initTransactions();
            consumer.subscribe(List.of(IN), moves());
            while (running() && random.nextInt(200) > 0) {
                Operation.Recording operation = begin(Operation.Kind.TRANSACTION);
                Poll poll = poll(consumer, 200);
                if (!poll.reads().isEmpty()) {
                    transform(producer, consumer, poll, operation.polled(poll));
                }
            }
        } finally {
            producer.close(Duration.ZERO);
        }
    }

    private void transform(
            KafkaProducer<byte[], Long> producer,
            KafkaConsumer<byte[], Long> consumer,
            Poll poll,
            Operation.Recording operation) {
        List<Pending> sends = new ArrayList<>();
        Outcome outcome = Outcome.FAILED;
        KafkaException failure = null;
        try {
            producer.beginTransaction();
            for (Read read : poll.reads()) {
                TopicPartition to = new TopicPartition(OUT, random.nextInt(PARTITIONS));
                sends.add(send(producer, to, Optional.of(new Source(group, read.partition(), read.offset()))));
            }
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            after(poll).forEach((partition, offset) -> offsets.put(partition, new OffsetAndMetadata(offset)));
            operation.offsets(new OffsetCommit(group, after(poll)));
            producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
            outcome = end(producer, operation, random.nextInt(20) == 0);
        } catch (KafkaException e) {
            failure = e;
        }
        if (failure != null && !operation.isCommitting()) {
            failure = aborted(producer, failure);
        }
        if (failure != null) {
            producer.close(Duration.ZERO);
        }
        settle(sends, operation);
        boolean unknown = operation.isCommitting() && outcome != Outcome.OK;
        record(operation.end(unknown ? Outcome.UNKNOWN : outcome));
        if (failure != null) {
            throw failure;
        }
        if (outcome == Outcome.FAILED) {
            rewind(consumer);
        }
    }

    /** Aborts after a failure; what is returned, if anything, ends this life. */
    private static KafkaException aborted(KafkaProducer<byte[], Long> producer, KafkaException failure) {
        try {
            producer.abortTransaction();
            return null;
        } catch (KafkaException fatal) {
            fatal.addSuppressed(failure);
            return fatal;
        }
    }

    /** Goes back to what the group has committed. */
    private void rewind(KafkaConsumer<byte[], Long> consumer) {
        Set<TopicPartition> mine = consumer.assignment();
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(mine);
        for (TopicPartition partition : mine) {
            OffsetAndMetadata offset = committed.get(partition);
            consumer.seek(partition, offset == null ? 0 : offset.offset());
        }
        moved(mine);
    }
}
