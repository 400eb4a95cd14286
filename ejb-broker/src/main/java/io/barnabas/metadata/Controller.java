package io.barnabas.metadata;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides every change of the metadata: runs a command on the present image, proposes its records as one entry of the
 * {@link MetadataLog}, and answers when they are committed and in the image. What a command decides is its own business; this class
 * only sees to it that it decides on the truth, and once.
 *
 * <p>Commands run one at a time: the next is decided when the one before is in the image, so that each sees everything decided before
 * it, with no second, speculative state to take back. A command costs one forced write (1–2 ms) however many records it makes; so a
 * change of many topics or partitions is one command. Before it: request handlers, broker registration, producer ids. After it:
 * {@link ReplayedMetadata}, which applies what was committed on every node.
 *
 * <p>What is only read here is linearizable by the same rule: a decision without records is an entry, too, and is answered when that took
 * effect, so that a controller that was deposed and does not know it tells nobody what is no longer true.
 *
 * <p>Thread: commands are decided on {@code executor}, one at a time; {@link #submit} may be called by any thread, also by a listener
 * of the image or by a command's answer.
 */
public final class Controller {
    private static final Logger LOG = LoggerFactory.getLogger(Controller.class);
    /** Commands that may wait at once. */
    private static final int WAITING_MAX = 10_000;

    private final MetadataLog log;
    private final Metadata metadata;
    private final int nodeId;
    private final Executor executor;
    private final Queue<Pending<?>> waiting = new ArrayDeque<>(); // guarded by itself
    private boolean busy; // guarded by waiting

    /**
     * @param nodeId this node's id; commands are taken while the image names it as the controller
     * @param executor where commands are decided and answered
     */
    public Controller(MetadataLog log, Metadata metadata, int nodeId, Executor executor) {
        this.log = log;
        this.metadata = metadata;
        this.nodeId = nodeId;
        this.executor = executor;
    }

    /**
     * A change of the metadata, as a function of its present state: reads no clock, file or network, and may be run again. What it
     * throws (an {@link org.apache.kafka.common.errors.ApiException}, as a rule) fails the whole command; nothing is changed then. A
     * command for several resources answers for each in its response and makes records for the good ones.
     *
     * @param <R> its answer
     */
    @FunctionalInterface
    public interface Command<R> {
        /** Decides. {@code image} has every change that was decided before. */
        Decision<R> decide(MetadataImage image);
    }

    /**
     * What a command decided.
     *
     * @param records replayed together, in order; empty if nothing is to change: then the entry proves that this is the truth
     * @param answer makes the answer from the image with the records in it; does not throw
     */
    public record Decision<R>(List<ApiMessage> records, Function<MetadataImage, R> answer) {
        /** Records, and an answer that is known already. */
        public static <R> Decision<R> of(List<ApiMessage> records, R response) {
            return new Decision<>(List.copyOf(records), image -> response);
        }

        /** An answer without a change. */
        public static <R> Decision<R> unchanged(R response) {
            return of(List.of(), response);
        }
    }

    /** Whether this node is the controller: its commands are taken. */
    public boolean isActive() {
        return metadata.image().controllerId() == nodeId;
    }

    /** {@link MetadataLog#addVoter} of the log that the changes go to. */
    public CompletableFuture<@Nullable Void> addVoter(int node, Uuid directoryId, int timeoutMs) {
        return log.addVoter(node, directoryId, timeoutMs);
    }

    /** {@link MetadataLog#removeVoter} of the log that the changes go to. */
    public CompletableFuture<@Nullable Void> removeVoter(int node, Uuid directoryId, int timeoutMs) {
        return log.removeVoter(node, directoryId, timeoutMs);
    }

    /** {@link MetadataLog#transferLead} of the log that the changes go to. */
    public CompletableFuture<Boolean> transferLead(int node) {
        return log.transferLead(node);
    }

    /** The members of the log that the changes go to. @throws NotControllerException if this node does not lead it */
    public QuorumState quorum() {
        return log.quorum();
    }

    /**
     * Runs {@code command} after those that were submitted before.
     *
     * @param name for the log, such as {@code CreateTopics}
     * @return the answer, completed on the controller's executor once the change is committed, in the image, and every listener of the
     *     image has returned; or what the command threw; or {@link NotControllerException}, also when the lead was lost on the way (the
     *     change may then have been made or not); or {@link PolicyViolationException} when too many commands wait. Who completes it
     *     before, as at a time-out, takes the command back if it has not been decided.
     */
    public <R> CompletableFuture<R> submit(String name, Command<R> command) {
        Pending<R> pending = new Pending<>(name, command);
        synchronized (waiting) {
            if (waiting.size() >= WAITING_MAX) {
                pending.answer.completeExceptionally(
                        new PolicyViolationException("Too many changes of the metadata wait"));
                return pending.answer;
            }
            waiting.add(pending);
            if (busy) {
                return pending.answer;
            }
            busy = true;
        }
        executor.execute(this::runNext);
        return pending.answer;
    }

    private void runNext() {
        Pending<?> next;
        synchronized (waiting) {
            next = nextWanted();
            if (next == null) {
                busy = false;
                return;
            }
        }
        run(next);
    }

    /** The next command that still has somebody waiting for its answer. The lock is held. */
    private @Nullable Pending<?> nextWanted() {
        Pending<?> next = waiting.poll();
        while (next != null && next.answer.isDone()) {
            next = waiting.poll();
        }
        return next;
    }

    private <R> void run(Pending<R> pending) {
        Decision<R> decision;
        CompletableFuture<Long> committed;
        try {
            if (!isActive()) {
                throw new NotControllerException("Node " + nodeId + " is not the controller");
            }
            MetadataImage image = metadata.image();
            decision = pending.command.decide(image);
            committed = log.propose(new MetadataEntry(image.index(), decision.records()).encode());
        } catch (Throwable e) {
            finish(pending, null, e);
            return;
        }
        CompletableFuture<Long> unused =
                committed.whenComplete((index, e) -> executor.execute(() -> onCommitted(pending, decision, index, e)));
    }

    private <R> void onCommitted(
            Pending<R> pending, Decision<R> decision, @Nullable Long index, @Nullable Throwable e) {
        if (e != null || index == null) {
            finish(pending, null, e instanceof CompletionException && e.getCause() != null ? e.getCause() : e);
        } else {
            finish(pending, decision, null);
        }
    }

    private <R> void finish(Pending<R> pending, @Nullable Decision<R> decision, @Nullable Throwable e) {
        try {
            if (decision != null) {
                pending.answer.complete(decision.answer().apply(metadata.image()));
            } else {
                pending.answer.completeExceptionally(e == null ? new UnknownServerException("No outcome") : e);
            }
        } catch (Throwable fault) {
            LOG.error("A command's answer failed: command={}", pending.name, fault);
            pending.answer.completeExceptionally(fault);
        } finally {
            executor.execute(this::runNext);
        }
    }

    private record Pending<R>(String name, Command<R> command, CompletableFuture<R> answer) {
        Pending(String name, Command<R> command) {
            this(name, command, new CompletableFuture<>());
        }
    }
}
