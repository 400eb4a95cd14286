package io.barnabas.log;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves logs between data directories (AlterReplicaLogDirs): copies into a future log beside the appends, forces it, and swaps when only
 * a little is left, which alone is copied under the log's lock. {@code README.md}, "a move", argues the order of the steps.
 *
 * <p>A producer faster than the copy is slowed down: after a turn that has not come nearer the copy takes the log's lock for some
 * pieces at a time, each time for more of them up to a bound, so that appends wait a little instead of the move for ever.
 *
 * <p>Threads: copies run on the worker, a turn at a time, so that other work gets its turn.
 */
final class LogMover {
    private static final Logger LOG = LoggerFactory.getLogger(LogMover.class);
    static final int PIECE_BYTES = 1 << 20;
    private static final int PIECES_A_TURN = 16;
    private static final int HELD_PIECES_MAX = 16;

    private final LogDirectories directories;
    private final LogEnvironment environment;
    private final Map<TopicPartition, Move> moves = new ConcurrentHashMap<>();
    private final Queue<SegmentedLog> found = new ConcurrentLinkedQueue<>();
    private final MovePace pace;

    /** One move; equal to itself alone. */
    private static final class Move {
        final SegmentedLog source;
        final SegmentedLog future;
        final CompletableFuture<PartitionLog> done = new CompletableFuture<>();
        ByteBuffer piece = ByteBuffer.allocate(0); // worker only
        int heldPieces; // copied at a time under the source's lock; worker only
        long lagBytes = Long.MAX_VALUE; // at the end of the turn before; worker only
        long cutAt = Long.MAX_VALUE; // the source was truncated there; guarded by the source's lock

        Move(SegmentedLog source, SegmentedLog future) {
            this.source = source;
            this.future = future;
        }

        TopicPartition partition() {
            return source.topicPartition();
        }

        long lagBytes() throws IOException {
            return source.view().bytesFrom(future.logEndOffset());
        }
    }

    LogMover(LogDirectories directories, LogEnvironment environment) {
        this.directories = directories;
        this.environment = environment;
        this.pace = new MovePace(environment.clock());
    }

    MovePace pace() {
        return pace;
    }

    /** Begins a move, or answers the one that is under way. The caller holds the manager's lock of changes. */
    CompletableFuture<PartitionLog> move(SegmentedLog source, DiskDirectory target) {
        if (source.disk() == target) {
            cancel(source.topicPartition());
            return CompletableFuture.completedFuture(source);
        }
        Move present = moves.get(source.topicPartition());
        if (present != null) {
            if (present.future.disk() == target) {
                return present.done;
            }
            cancel(source.topicPartition());
        }
        Move move = new Move(source, directories.createFuture(source, target));
        begin(move);
        moves.put(source.topicPartition(), move);
        environment.threads().worker().execute(() -> turn(move));
        return move.done;
    }

    Collection<PartitionLog> futureLogs() {
        return moves.values().stream().map(move -> (PartitionLog) move.future).toList();
    }

    void cancel(TopicPartition partition) {
        Move move = moves.remove(partition);
        if (move != null) {
            move.done.completeExceptionally(
                    new UnknownTopicOrPartitionException("The move of " + partition + " was given up"));
            directories.discard(move.future);
        }
    }

    /** The log loses its end, and so must the copy. The caller holds the log's lock. */
    void onTruncated(SegmentedLog log, long offset) {
        Move move = moves.get(log.topicPartition());
        if (move != null && move.source == log) {
            move.cutAt = Math.min(move.cutAt, offset);
        }
    }

    void stop() {
        for (Move move : moves.values()) {
            move.done.completeExceptionally(new LogStorageException("The logs are closed"));
            move.future.retire();
            move.future.closeFiles();
        }
        moves.clear();
    }

    private boolean underWay(Move move) {
        return moves.get(move.partition()) == move;
    }

    private void turn(Move move) {
        long restMs = underWay(move) ? pace.restMs() : 0;
        if (restMs > 0) {
            directories.later(restMs, () -> turn(move));
            return;
        }
        try {
            if (underWay(move) && !finished(move)) {
                environment.threads().worker().execute(() -> turn(move));
            }
        } catch (IOException | RuntimeException e) {
            giveUp(move, e);
        } catch (Error e) {
            giveUp(move, e);
            throw e;
        }
    }

    private void giveUp(Move move, Throwable why) {
        LOG.warn("A move between directories failed: partition={}", move.partition(), why);
        if (moves.remove(move.partition(), move)) {
            move.done.completeExceptionally(why);
            try {
                directories.discard(move.future);
            } catch (LogStorageException e) {
                LOG.warn("The copy is left to the next start: partition={}", move.partition(), e);
            }
        }
    }

    /** Brings the copy nearer and, if little is left, ends the move; false if another turn is needed. */
    private boolean finished(Move move) throws IOException {
        if (!catchUp(move)) {
            return false;
        }
        move.future.flush(); // most of the forcing, while the source's own forces go on
        synchronized (move.source.flushLock()) { // nothing more is promised that the copy does not hold yet
            if (!catchUp(move) || !prepare(move) || !catchUp(move) || !swap(move)) {
                return false;
            }
        }
        settle(move);
        return true;
    }

    // ---- copying

    /** Copies for a while; true once there is at most a piece left. */
    private boolean catchUp(Move move) throws IOException {
        int pieces = pace.piecesATurn(PIECES_A_TURN);
        for (int copied = 0; copied < pieces; copied += Math.max(1, move.heldPieces)) {
            followStartAndCut(move);
            if (move.lagBytes() <= PIECE_BYTES) {
                return true;
            }
            if (move.heldPieces > 0) {
                copyHolding(move);
            } else if (!copy(move)) {
                LOG.debug("The log was cut or begins later now: partition={}", move.partition());
            }
        }
        long lag = move.lagBytes();
        if (lag >= move.lagBytes && !pace.bounded()) {
            move.heldPieces = Math.min(HELD_PIECES_MAX, Math.max(1, 2 * move.heldPieces));
        }
        move.lagBytes = lag;
        return false;
    }

    private void copyHolding(Move move) throws IOException {
        synchronized (move.source.lock()) {
            int left = move.heldPieces;
            while (left > 0 && isBehind(move) && copy(move)) {
                left--;
            }
        }
    }

    private static boolean isBehind(Move move) {
        return move.future.logEndOffset() < move.source.logEndOffset();
    }

    /** The source may have been truncated, or its start may have moved past what was copied. */
    private static void followStartAndCut(Move move) {
        long cut;
        synchronized (move.source.lock()) {
            cut = move.cutAt;
            move.cutAt = Long.MAX_VALUE;
        }
        move.future.truncateTo(cut);
        if (move.source.logStartOffset() > move.future.logEndOffset()) {
            begin(move);
        }
    }

    /** The copy begins at the source's start, and knows the producers whose batches retention has taken: they may send again. */
    private static void begin(Move move) {
        long start;
        List<ProducerState> known;
        synchronized (move.source.lock()) {
            start = move.source.logStartOffset();
            known = move.source.producers().knownBefore(start);
        }
        move.future.truncateFully(start);
        move.future.change("Beginning a copy", () -> move.future.producers().takeOver(known));
    }

    /** Copies a piece; false if the source no longer holds what comes next, which {@link #followStartAndCut} settles. */
    private boolean copy(Move move) throws IOException {
        SegmentedLog source = move.source;
        ReadResult read;
        try {
            read = source.read(move.future.logEndOffset(), PIECE_BYTES, source.logEndOffset(), true, false);
        } catch (OffsetOutOfRangeException e) {
            return false;
        }
        if (!(read.records() instanceof LogSlice slice)) {
            return skipped(move);
        }
        try {
            int size = slice.sizeInBytes();
            if (size > move.piece.capacity()) {
                move.piece = ByteBuffer.allocate(Math.max(size, PIECE_BYTES));
            }
            ByteBuffer into = move.piece.clear().limit(size);
            while (into.hasRemaining()) {
                if (slice.channel().read(into, slice.position() + into.position()) < 0) {
                    throw new EOFException("A slice of " + source + " is short");
                }
            }
            into.flip().limit(wholeBatches(into));
            move.future.append(MemoryRecords.readableRecords(into), AppendOrigin.REPLICATION, -1);
            pace.onCopied(size);
            return true;
        } finally {
            slice.release();
        }
    }

    /**
     * Compaction may have taken the last batches before an empty active segment: the copy then ends where the source does, as empty. False if
     * the source was cut to where the copy ends.
     */
    private static boolean skipped(Move move) throws IOException {
        synchronized (move.source.lock()) { // no append comes in between
            if (!isBehind(move)) {
                return false;
            }
            if (move.lagBytes() == 0) {
                move.future.skipTo(move.source.logEndOffset());
            }
            return true;
        }
    }

    private static int wholeBatches(ByteBuffer buffer) {
        int at = 0;
        while (buffer.limit() - at >= BatchHeader.SIZE && BatchHeader.sizeInBytes(buffer, at) <= buffer.limit() - at) {
            at += BatchHeader.sizeInBytes(buffer, at);
        }
        return at;
    }

    // ---- the end of a move

    /** Whatever takes a force: the copy is to promise as much as the source does. The caller holds the source's flush lock. */
    private boolean prepare(Move move) throws IOException {
        SegmentedLog future = move.future;
        while (future.logEndOffset() < move.source.recoveryPoint()) {
            if (!copy(move)) {
                return false; // the next turn follows
            }
        }
        long start = move.source.logStartOffset();
        if (start > future.logEndOffset()) {
            return false;
        }
        directories.name(future); // before it bears the name: unnamed there, its gaps would count as losses
        future.flush();
        future.deleteRecordsBefore(start);
        if (!isBehind(move)) {
            takeEpoch(move);
        }
        future.durability().syncFolder(); // of an empty log too
        directories.checkpoint(future.disk());
        return true;
    }

    /** An epoch that began at the source's end has no batch that tells of it. */
    private static void takeEpoch(Move move) {
        OptionalInt epoch = move.source.latestEpoch();
        if (epoch.isPresent() && !epoch.equals(move.future.latestEpoch())) {
            move.future.onLeaderEpoch(epoch.getAsInt());
        }
    }

    /** Copies the last bytes and swaps, under the source's lock; false if too much came in between. */
    private boolean swap(Move move) throws IOException {
        synchronized (directories.changes()) {
            if (!underWay(move)) {
                return false;
            }
            synchronized (move.source.lock()) {
                boolean near = move.lagBytes() <= (long) PIECE_BYTES * Math.max(1, move.heldPieces);
                if (!near || move.cutAt != Long.MAX_VALUE || !sameStart(move)) {
                    return false;
                }
                while (isBehind(move)) {
                    if (!copy(move)) {
                        return false;
                    }
                }
                takeEpoch(move);
                directories.swap(move.source, move.future);
            }
            moves.remove(move.partition(), move);
        }
        return true;
    }

    private static boolean sameStart(Move move) {
        return move.future.logStartOffset() == move.source.logStartOffset();
    }

    /** The log serves from its new directory; now the names on the disks follow, before anything new counts as forced. */
    private void settle(Move move) {
        directories.announceMoved(move.future);
        try {
            move.future.flush();
            directories.leave(move.source);
        } catch (RuntimeException e) {
            LOG.warn(
                    "A moved log was deleted or its directory failed: partition={} error={}",
                    move.partition(),
                    e.toString());
        }
        move.done.complete(move.future);
    }

    // ---- after a crash

    void found(SegmentedLog future) {
        found.add(future);
    }

    /** A future log whose present one is gone was about to take its place: it does. Others are dropped; the move is asked for again. */
    void settleAfterStart() {
        boolean allOnline = directories.disks().stream().allMatch(DiskDirectory::online);
        for (SegmentedLog future : List.copyOf(found)) {
            if (directories.log(future.topicPartition()).isPresent()) {
                directories.discard(future);
            } else if (allOnline) {
                try {
                    future.folder().rename(LogFolder.name(future.topicPartition()));
                    directories.adopt(future);
                } catch (IOException e) {
                    future.disk().broken("Completing a move of " + future.topicPartition(), e);
                }
            }
        }
        found.clear();
    }
}
