package io.barnabas.system;

import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Sends and polls in transactions, commits most of them, aborts some, and walks away from a few; who comes next under its transactional
 * id fences what is left.
 */
class TransactionalClient extends HistoryClient {
    private static final int COMMIT_TRIES = 3;

    TransactionalClient(String name, String bootstrap, long seed) {
        super(name, bootstrap, seed);
    }

    @Override
    void live() {
        KafkaProducer<byte[], Long> producer = transactionalProducer();
        try (KafkaConsumer<byte[], Long> consumer = consumer(Map.of("auto.offset.reset", "latest"))) {
            consumer.assign(allPartitions());
            producer.initTransactions();
            while (running() && random.nextInt(100) > 0) {
                transaction(producer, consumer);
                pause(30);
            }
            if (!running()) {
                producer.close();
            }
        } finally {
            producer.close(Duration.ZERO);
        }
    }

    KafkaProducer<byte[], Long> transactionalProducer() {
        return producer(Map.of("transactional.id", name(), "transaction.timeout.ms", 15_000));
    }

    private void transaction(KafkaProducer<byte[], Long> producer, KafkaConsumer<byte[], Long> consumer) {
        Operation.Recording operation = begin(Operation.Kind.TRANSACTION);
        List<Pending> sends = new ArrayList<>();
        Outcome outcome = Outcome.FAILED;
        try {
            producer.beginTransaction();
            for (int step = random.nextInt(4); step >= 0; step--) {
                if (random.nextInt(3) == 0) {
                    operation.polled(poll(consumer, 20));
                } else {
                    TopicPartition to = anyPartition();
                    sends.add(send(producer, to, Optional.empty()));
                    sends.add(send(producer, anyPartition(), Optional.empty()));
                }
            }
            if (random.nextBoolean()) {
                settle(sends, operation); // else the commit waits for them
            }
            if (random.nextInt(50) == 0) {
                throw new KafkaException("walks away");
            }
            outcome = end(producer, operation, random.nextInt(5) == 0);
        } finally {
            settleAll(producer, sends, operation);
            record(operation.end(operation.isCommitting() && outcome != Outcome.OK ? Outcome.UNKNOWN : outcome));
        }
    }

    /** What is not answered when a transaction's end is known, or the producer is given up, never will be. */
    private void settleAll(KafkaProducer<byte[], Long> producer, List<Pending> sends, Operation.Recording operation) {
        if (sends.stream().anyMatch(send -> !send.ack().isDone())) {
            producer.close(Duration.ZERO);
        }
        settle(sends, operation);
    }

    /** Aborts or commits. Whoever is left without an answer asks again: that is safe by the producer's own word. */
    Outcome end(KafkaProducer<byte[], Long> producer, Operation.Recording operation, boolean abort) {
        if (abort) {
            producer.abortTransaction();
            return Outcome.FAILED;
        }
        operation.committing();
        for (int i = 1; ; i++) {
            try {
                producer.commitTransaction();
                return Outcome.OK;
            } catch (TimeoutException unanswered) {
                if (i == COMMIT_TRIES) {
                    throw unanswered;
                }
            } catch (KafkaException unknown) {
                producer.close(Duration.ZERO);
                throw unknown;
            }
        }
    }
}
