package io.barnabas.simulation;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.simulation.SimulatedTransaction.Fate;
import io.barnabas.simulation.TransactionRequests.Batch;
import io.barnabas.simulation.TransactionRequests.Question;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A transactional producer (transaction version 2) of a simulated cluster, with one request under way at a time: it writes to the
 * partitions of {@link SimulatedCluster#TOPIC}, moves an offset, and ends its transaction in one way or the other. A request that fails or
 * is not answered it sends again to whoever leads or coordinates then. It may be {@link #replace replaced} at any moment by another
 * instance of its name, and what it sent by then may still arrive.
 */
final class ClusterTransactor {
    private static final int TIMEOUT_MS = 700;
    private static final int REST_MS = 40;
    /** Longer than a run: an instance that is gone leaves its transaction to the next one. */
    private static final int TRANSACTION_TIMEOUT_MS = 600_000;

    /** Besides {@link TransactionRequests#RETRIED}, where brokers change. */
    private static final Set<Errors> RETRIED_TOO = Set.of(
            Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND, Errors.LEADER_NOT_AVAILABLE, Errors.UNKNOWN_TOPIC_OR_PARTITION);

    /** What a late InitProducerId of this instance or of a former one brings about: another begins then. */
    private static final Set<Errors> FENCED = Set.of(Errors.PRODUCER_FENCED, Errors.INVALID_PRODUCER_EPOCH);

    private final String transactionalId;
    private final ClusterTransactionSimulation world;
    private final Random random;
    private final TransactionRequests requests;
    private final ClusterConnection coordinator;
    private final ClusterConnection group;
    private final List<ClusterConnection> leaders = new ArrayList<>();
    private final Map<Integer, Integer> sequences = new HashMap<>();
    private ProducerIdentity producer = ProducerIdentity.NONE;
    private @Nullable SimulatedTransaction transaction;
    private @Nullable Request<?> open;
    private boolean aborts; // a write was refused: nothing but an abort is left
    private int instance;
    private int batches;

    ClusterTransactor(String transactionalId, ClusterTransactionSimulation world, long seed) {
        this.transactionalId = transactionalId;
        this.world = world;
        this.random = new Random(seed);
        this.requests = new TransactionRequests(transactionalId, true, TRANSACTION_TIMEOUT_MS);
        this.coordinator = connection(new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, 0));
        this.group = connection(new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, 0));
        world.cluster.partitions.stream()
                .filter(partition -> partition.topic().equals(SimulatedCluster.TOPIC))
                .forEach(partition -> leaders.add(connection(partition)));
    }

    private ClusterConnection connection(TopicPartition partition) {
        return new ClusterConnection(world.cluster, partition, transactionalId, random);
    }

    /** Something that is asked until it is answered. */
    private final class Request<T extends ApiMessage> {
        private final Question<T> question;
        private final ClusterConnection to;
        private final Consumer<T> then;
        private final int of = instance;

        Request(Question<T> question, ClusterConnection to, Consumer<T> then) {
            this.question = question;
            this.to = to;
            this.then = then;
        }

        void send() {
            ApiMessage body = question.body().get();
            if (of == instance
                    && !to.send(question.api(), (short) question.version(), body, TIMEOUT_MS, this::onAnswer)) {
                rest();
            }
        }

        private void rest() {
            to.drop();
            world.cluster.ticker.after(REST_MS, this::send);
        }

        private void onAnswer(@Nullable ApiMessage answer) {
            if (of != instance) {
                return; // its sender is no more
            }
            if (answer == null) {
                rest();
                return;
            }
            T body = question.type().cast(answer);
            Errors error = question.error().apply(body);
            if (error == Errors.NONE) {
                open = null;
                then.accept(body);
            } else if (error == Errors.TRANSACTION_ABORTABLE && isWrite()) {
                open = null;
                aborts = true;
            } else if (FENCED.contains(error) || (error == Errors.INVALID_TXN_STATE && !to.isToLeader())) {
                // A coordinator that does not know that it is none any more judges by what it knows, as Kafka's does.
                replace();
            } else {
                ClusterChecks.require(
                        TransactionRequests.RETRIED.contains(error) || RETRIED_TOO.contains(error),
                        transactionalId + " is told " + error + " of " + question.api() + " by " + to.broker() + " as "
                                + producer);
                rest();
            }
        }

        private boolean isWrite() {
            return question.api() == ApiKeys.PRODUCE || question.api() == ApiKeys.TXN_OFFSET_COMMIT;
        }
    }

    private <T extends ApiMessage> void ask(Question<T> question, ClusterConnection to, Consumer<T> then) {
        Request<T> request = new Request<>(question, to, then);
        open = request;
        request.send();
    }

    boolean idle() {
        return open == null && transaction == null;
    }

    @Override
    public String toString() {
        Request<?> present = open;
        return transactionalId + " as " + producer + " in " + transaction
                + (present == null ? "" : " waits for " + present.question.api() + " of " + present.to.broker());
    }

    /** The process of the client ends, and another begins under its name. */
    void replace() {
        world.note(transactionalId + " is replaced in " + transaction);
        instance++;
        open = null;
        if (transaction != null) {
            transaction.given();
            transaction = null;
        }
        producer = ProducerIdentity.NONE;
    }

    /** Does the next thing, if nothing is under way. */
    void step(boolean begins) {
        if (open != null) {
            return;
        }
        SimulatedTransaction present = transaction;
        if (present == null) {
            begin(begins);
        } else if (aborts) {
            end(present, false);
        } else {
            goOn(present, begins);
        }
    }

    private void begin(boolean begins) {
        if (producer.id() < 0) {
            ask(requests.init(producer), coordinator, this::onInitialised);
        } else if (begins) {
            transaction = world.begin(transactionalId);
        }
    }

    private void onInitialised(InitProducerIdResponseData answer) {
        producer = new ProducerIdentity(answer.producerId(), answer.producerEpoch());
        sequences.clear();
        aborts = false;
        world.note(transactionalId + " is " + producer);
    }

    private void goOn(SimulatedTransaction of, boolean begins) {
        int dice = random.nextInt(10);
        if (of.isEmpty() || (begins && dice > 4)) {
            write(of, random.nextInt(leaders.size()));
        } else if (dice == 0 && !of.committedOffset) {
            of.committedOffset = true;
            ask(requests.commitOffset(producer, of.number), group, answer -> {});
        } else {
            end(of, random.nextInt(3) > 0);
        }
    }

    private void write(SimulatedTransaction of, int partition) {
        int sequence = sequences.getOrDefault(partition, 0);
        List<String> values = new ArrayList<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
            String value = world.nextValue(of);
            values.add(value);
            of.values.put(value, new TopicPartition(SimulatedCluster.TOPIC, partition));
        }
        sequences.put(partition, sequence + values.size());
        Batch batch = new Batch(++batches, partition, sequence, values, world.cluster.clock.wallMillis());
        ask(requests.produce(producer, batch), leaders.get(partition), answer -> {});
    }

    private void end(SimulatedTransaction of, boolean commit) {
        of.askedToCommit = commit;
        world.note(of + (commit ? " commits" : " aborts"));
        ask(requests.end(producer, commit != world.liars()), coordinator, answer -> onEnded(of, commit, answer));
    }

    private void onEnded(SimulatedTransaction of, boolean commit, EndTxnResponseData answer) {
        of.fate = commit ? Fate.COMMITTED : Fate.ABORTED;
        transaction = null;
        aborts = false;
        producer = new ProducerIdentity(answer.producerId(), answer.producerEpoch());
        sequences.clear();
        world.note(of + ", goes on as " + producer);
    }
}
