package io.barnabas.simulation;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.request.RecordedAnswer;
import io.barnabas.simulation.TransactionRequests.Batch;
import io.barnabas.simulation.TransactionRequests.Question;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A transactional producer of either kind. It has several batches under way at once, and one of other requests. Answers that are lost make
 * it send the same request again; a write whose time is up makes it abort, though it may still arrive; what it may not do ends it.
 */
final class TransactionalClient {
    private static final int TIMEOUT_MS = 20_000;
    private static final int IN_FLIGHT = 3;
    /** A broker knows again so many batches of a producer. */
    private static final int KNOWN_BATCHES = 5;

    final String transactionalId;
    private final boolean newEpochs; // transaction version 2
    private final TransactionRequests requests;
    private final TransactionSimulation world;
    private final Random random;
    private final Map<Integer, Integer> sequences = new HashMap<>();
    private final Set<Integer> joined = new HashSet<>();
    private final List<Pending<?>> pending = new ArrayList<>();
    private boolean offsetsJoined;
    private boolean gaveUp; // on a write: the transaction is aborted, and a new epoch begins
    private ProducerIdentity producer = ProducerIdentity.NONE;
    private @Nullable SimulatedTransaction transaction;
    private int batches;
    boolean dead;

    TransactionalClient(String transactionalId, boolean newEpochs, TransactionSimulation world, Random random) {
        this.transactionalId = transactionalId;
        this.newEpochs = newEpochs;
        this.requests = new TransactionRequests(transactionalId, newEpochs, TIMEOUT_MS);
        this.world = world;
        this.random = random;
    }

    /** A request that has not been answered. */
    private final class Pending<T extends ApiMessage> {
        final Question<T> question;
        final Consumer<T> then;
        final @Nullable Batch batch;

        @Nullable
        RecordedAnswer answer;

        int life = -1;
        boolean mayBeEarly; // there was an older batch when it was sent

        Pending(Question<T> question, @Nullable Batch batch, Consumer<T> then) {
            this.question = question;
            this.batch = batch;
            this.then = then;
        }

        boolean isOf(ApiKeys api) {
            return question.api() == api;
        }

        /** Takes the answer, or sends again what may not have arrived. */
        void goOn() {
            RecordedAnswer present = answer;
            if (isLost() || (!present.given() && random.nextInt(40) == 0)) {
                if (batch == null || inOrder(batch)) {
                    send();
                }
            } else if (present.given()) {
                take(present);
            }
        }

        boolean isLost() {
            RecordedAnswer present = answer;
            return present == null || life != world.life() || (present.given() && present.closed());
        }

        private void send() {
            life = world.life();
            mayBeEarly = batch != null && hasOlder(batch);
            if (mayComeLate() && world.isSlow() && (isWrite() || random.nextInt(4) == 0)) {
                answer = null;
                deliverLater();
                if (isWrite() && (isOf(ApiKeys.TXN_OFFSET_COMMIT) || random.nextInt(2) == 0)) {
                    giveUp(); // its time is up: nobody will know whether it was written
                }
                return;
            }
            if (mayComeTwice() && world.isSlow() && !isOf(ApiKeys.INIT_PRODUCER_ID)) {
                deliverLater();
            }
            answer = world.node()
                    .send(question.api(), question.version(), question.body().get());
            if (world.losesMessage()) {
                answer = null; // processed, and the answer lost
            }
        }

        private void deliverLater() {
            ApiMessage late = question.body().get();
            int sentIn = world.life();
            world.deliverLater(question.api(), node -> {
                if (mayOutlive() || sentIn == world.life()) {
                    node.send(question.api(), question.version(), late);
                }
            });
        }

        private boolean isWrite() {
            return isOf(ApiKeys.PRODUCE) || isOf(ApiKeys.TXN_OFFSET_COMMIT);
        }

        /** Without new epochs an end that is late could end the transaction after (KIP-890): no broker can help that. */
        private boolean mayComeLate() {
            return newEpochs || !isOf(ApiKeys.END_TXN);
        }

        /**
         * Without new epochs a log that has lost its producer's state takes a batch for the first one: no broker can help that, and no
         * connection outlives the broker's process.
         */
        private boolean mayOutlive() {
            return newEpochs || !isOf(ApiKeys.PRODUCE);
        }

        /** The same goes for what says nothing of its place in the order: offsets, and what joins a transaction. */
        private boolean mayComeTwice() {
            return newEpochs || isOf(ApiKeys.PRODUCE);
        }

        private void take(RecordedAnswer given) {
            T body = given.body(question.type());
            Errors error = question.error().apply(body);
            if (error == Errors.NONE) {
                pending.remove(this);
                then.accept(body);
            } else if (TransactionRequests.RETRIED.contains(error)) {
                answer = null;
            } else if (error == Errors.OUT_OF_ORDER_SEQUENCE_NUMBER && batch != null) {
                TransactionChecks.require(
                        mayBeEarly, transactionalId + " is out of order with its oldest batch " + batch);
                answer = null;
            } else if (error == Errors.TRANSACTION_ABORTABLE && isWrite()) {
                world.onRefused(question.api(), error);
                giveUp();
            } else {
                world.note(transactionalId + " ends by " + error + " of " + question.api() + " " + producer);
                world.onRefused(question.api(), error);
                kill();
            }
        }
    }

    private boolean hasOlder(Batch than) {
        return pending.stream()
                .anyMatch(one -> one.batch != null
                        && one.batch.partition() == than.partition()
                        && one.batch.sequence() < than.sequence());
    }

    /** One connection keeps the order: when it is lost, the oldest batch goes first; and so many may follow it. */
    private boolean inOrder(Batch batch) {
        return pending.stream()
                .filter(one -> one.batch != null
                        && one.batch.partition() == batch.partition()
                        && one.batch.number() < batch.number())
                .noneMatch(one -> one.isLost() || one.batch.number() <= batch.number() - KNOWN_BATCHES);
    }

    boolean idle() {
        return dead || (pending.isEmpty() && transaction == null);
    }

    /** The process of the client ends; nobody goes on with its transaction. */
    void kill() {
        dead = true;
        if (transaction != null) {
            transaction.given();
        }
    }

    private void giveUp() {
        pending.clear();
        gaveUp = true;
    }

    /** One step: takes an answer, sends again, or does the next thing. */
    void step(boolean begins) {
        if (dead) {
            return;
        }
        if (!pending.isEmpty()) {
            pending.get(random.nextInt(pending.size())).goOn();
            if (!mayPipeline(begins)) {
                return;
            }
        }
        if (producer.id() < 0 || (gaveUp && transaction == null)) {
            init();
        } else if (transaction == null) {
            if (begins) {
                transaction = world.begin(transactionalId);
                joined.clear();
                offsetsJoined = false;
            }
        } else if (gaveUp) {
            end(transaction, false);
        } else {
            goOn(transaction, begins);
        }
    }

    private boolean mayPipeline(boolean begins) {
        return !dead
                && begins
                && !pending.isEmpty()
                && pending.size() < IN_FLIGHT
                && pending.get(0).isOf(ApiKeys.PRODUCE)
                && random.nextBoolean();
    }

    private <T extends ApiMessage> void ask(Question<T> question, @Nullable Batch batch, Consumer<T> then) {
        Pending<T> request = new Pending<>(question, batch, then);
        pending.add(request);
        request.goOn();
    }

    private void init() {
        ask(requests.init(producer), null, this::onInitialised);
    }

    private void onInitialised(InitProducerIdResponseData answer) {
        producer = new ProducerIdentity(answer.producerId(), answer.producerEpoch());
        gaveUp = false;
        sequences.clear();
        world.onInitialised(transactionalId, producer);
    }

    private void goOn(SimulatedTransaction of, boolean begins) {
        int dice = random.nextInt(10);
        if (dice < 6 && (begins || of.isEmpty())) {
            write(of, random.nextInt(TransactionNode.PARTITIONS));
        } else if (!pending.isEmpty()) {
            return; // what follows waits for the batches
        } else if (dice < 8 && !of.committedOffset) {
            commitOffset(of);
        } else if (!of.isEmpty()) {
            end(of, random.nextInt(4) > 0);
        }
    }

    private void write(SimulatedTransaction of, int partition) {
        if (!newEpochs && !joined.contains(partition)) {
            if (pending.isEmpty()) {
                ask(requests.addPartition(producer, partition), null, answer -> joined.add(partition));
            }
            return;
        }
        int sequence = sequences.getOrDefault(partition, 0);
        List<String> values = new ArrayList<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
            String value = world.nextValue(of);
            values.add(value);
            of.values.put(value, new TopicPartition(TransactionNode.TOPIC, partition));
        }
        sequences.put(partition, sequence + values.size());
        Batch batch = new Batch(++batches, partition, sequence, values, world.now());
        ask(requests.produce(producer, batch), batch, answer -> {});
    }

    private void commitOffset(SimulatedTransaction of) {
        if (!newEpochs && !offsetsJoined) {
            ask(requests.addOffsets(producer), null, answer -> offsetsJoined = true);
            return;
        }
        of.committedOffset = true;
        ask(requests.commitOffset(producer, of.number), null, answer -> {});
    }

    private void end(SimulatedTransaction of, boolean commit) {
        of.askedToCommit = commit;
        world.note(of + (commit ? " commits" : " aborts"));
        ask(requests.end(producer, commit), null, answer -> {
            of.fate = commit ? SimulatedTransaction.Fate.COMMITTED : SimulatedTransaction.Fate.ABORTED;
            transaction = null;
            if (newEpochs) {
                producer = new ProducerIdentity(answer.producerId(), answer.producerEpoch());
                sequences.clear();
                gaveUp = false;
            }
        });
    }
}
