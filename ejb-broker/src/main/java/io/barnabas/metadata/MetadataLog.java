package io.barnabas.metadata;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotControllerException;
import org.jspecify.annotations.Nullable;

/**
 * The seam between metadata and what orders and remembers it: an ordered, durable log of opaque entries, which every node applies to
 * its {@link StateMachine}. {@link Controller} proposes; Ratis stands behind it in production, a simulated log in tests.
 *
 * <p>What a proposal's failure means is not known: the entry may be committed later all the same. Nobody may build on either; the
 * {@link MetadataEntry}'s base index makes such a late entry, or a second copy of one, harmless.
 */
public interface MetadataLog extends AutoCloseable {
    /** No leader is known. */
    int NO_LEADER = -1;

    /**
     * Restores {@code stateMachine} from the latest snapshot and begins to apply what is committed. Returns once the log takes part;
     * committed entries may still be on their way, {@link StateMachine#onLeader} tells when they have been applied.
     *
     * @throws IOException if the log's files cannot be read or written, or belong to somebody else
     */
    void start(StateMachine stateMachine) throws IOException;

    /**
     * Appends an entry, if this node leads. Safe from any thread; entries proposed one after the other by one thread keep their order.
     *
     * @return the entry's index, completed after the entry has been committed and has taken effect here; fails with a
     *     {@link NotControllerException} if this node does not lead, lost the lead meanwhile, or the entry
     *     was committed but void; with another {@link org.apache.kafka.common.errors.ApiException} if the log cannot take it. Unless it
     *     was void, the outcome of an entry that failed is unknown.
     */
    CompletableFuture<Long> propose(byte[] entry);

    /**
     * Gives a node with its present directory a vote; the place of a former directory of the same node, if that no longer answers.
     *
     * @return completed when the voter has caught up and the change is committed; fails with an
     *     {@link org.apache.kafka.common.errors.ApiException}: {@link NotControllerException} if this node does not lead,
     *     DuplicateVoterException, InvalidRequestException, or TimeoutException, after which the change may be made all the same
     */
    CompletableFuture<@Nullable Void> addVoter(int nodeId, Uuid directoryId, int timeoutMs);

    /** Takes a vote. Like {@link #addVoter}, or fails with VoterNotFoundException. */
    CompletableFuture<@Nullable Void> removeVoter(int nodeId, Uuid directoryId, int timeoutMs);

    /**
     * Sends the log no more to a node without a vote that has left the cluster. Soon, and only a courtesy: one that is sent it in vain costs
     * the leader some work, and one that comes back asks to be sent it again.
     */
    void forgetObserver(int nodeId);

    /** The log's members and how far each is. Safe from any thread. @throws NotControllerException if this node does not lead */
    QuorumState quorum();

    /** Has another node lead, if this one does and there is one that can; a courtesy, which may fail. May block (bounded). */
    default void handOver() {}

    /**
     * Has that voter lead, if this node does; a courtesy, too. Does not block. What is proposed meanwhile fails as it does without a leader.
     *
     * @return completed when it leads, or will not: with false, or a failure
     */
    default CompletableFuture<Boolean> transferLead(int nodeId) {
        return CompletableFuture.completedFuture(false);
    }

    /** Takes a snapshot, so that the next start is quick, and stops. What has been committed stays. Idempotent. */
    @Override
    void close();

    /** What the entries are applied to. All but {@link #onLeader} are called by one thread at a time, in order. */
    interface StateMachine {
        /**
         * Applies a committed entry; each index once, rising. What it throws ends the log: a node must not go on with a hole.
         *
         * @return whether it took effect; a void one changed nothing
         */
        boolean apply(long index, byte[] entry);

        /** Writes the whole state as of the last applied entry. */
        void writeSnapshot(OutputStream out) throws IOException;

        /** Replaces the whole state by a snapshot, whose last applied entry was {@code index}. */
        void restore(long index, InputStream in) throws IOException;

        /**
         * The leader changed. A node hears of its own lead only after it has applied every entry that was committed before. Called by
         * any thread.
         *
         * @param nodeId the leader's, or {@link #NO_LEADER}
         */
        void onLeader(int nodeId);

        /** The log cannot go on: its disk failed, or {@link #apply} threw. */
        void onFailure(Throwable cause);
    }
}
