package io.barnabas.log;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves logs between data directories (AlterReplicaLogDirs): copies into a future log beside the appends, forces it, and swaps when only
 * a little is left, which alone is copied under the log's lock. A move that the end of the process interrupted goes on when its log is
 * opened again. {@code README.md}, "a move", argues the order of the steps.
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
    /** An interrupted move goes on so long after its log was opened: partitions that open come first. */
    static final long RESUME_MS = 1_000;

    private static final long RETRY_MS = 1_000;
    private static final long UNTOLD_MS = 50;

    private final LogDirectories directories;
    private final LogEnvironment environment;
    private final Map<TopicPartition, Move> moves = new ConcurrentHashMap<>();
    private final FoundCopies found = new FoundCopies();
    private final List<Consumer<PartitionLog>> movedListeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<PartitionLog>> settledListeners = new CopyOnWriteArrayList<>();
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
        int truncations; // of the source, that the copy has followed; worker only

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
        if (source.folder().isFuture()) {
            throw new LogStorageException("The log " + source.topicPartition() + " has just been moved");
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

    /** The copies of moves under way, and of those that wait for their logs. */
    Collection<PartitionLog> futureLogs() {
        return Stream.<PartitionLog>concat(moves.values().stream().map(move -> move.future), found.logs().stream())
                .toList();
    }

    void onMoved(Consumer<PartitionLog> listener) {
        movedListeners.add(listener);
    }

    void onSettled(Consumer<PartitionLog> listener) {
        settledListeners.add(listener);
    }

    void cancel(TopicPartition partition) {
        Move move = moves.remove(partition);
        if (move != null) {
            move.done.completeExceptionally(
                    new UnknownTopicOrPartitionException("The move of " + partition + " was given up"));
            directories.removal().discard(move.future);
        }
        found.take(partition).forEach(copy -> directories.removal().discard(copy.log()));
    }

    /** The log loses its end, and so must the copy. The caller holds the log's lock. */
    void onTruncated(SegmentedLog log, long offset) {
        Move move = moves.get(log.topicPartition());
        if (move != null && move.source == log) {
            move.cutAt = Math.min(move.cutAt, offset);
        }
    }

    /** Moves end where they are, for the next start to go on; a turn that is under way ends soon. */
    void stop() {
        synchronized (directories.changes()) {
            for (Move move : moves.values()) {
                move.done.completeExceptionally(new LogStorageException("The logs are closed"));
            }
            moves.clear();
        }
    }

    private boolean underWay(Move move) {
        return moves.get(move.partition()) == move;
    }

    private void turn(Move move) {
        long restMs = underWay(move) ? restMs(move) : 0;
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

    /** A log that moved a moment ago stays until the metadata have been told. */
    private long restMs(Move move) {
        return directories.movedLogs().contains(move.partition()) ? UNTOLD_MS : pace.restMs();
    }

    private void giveUp(Move move, Throwable why) {
        LOG.warn("A move between directories failed: partition={}", move.partition(), why);
        if (moves.remove(move.partition(), move)) {
            move.done.completeExceptionally(why);
            if (!move.source.disk().online()) {
                found.add(move.future, true); // the start that finds the log again goes on
                return;
            }
            try {
                directories.removal().discard(move.future);
            } catch (LogStorageException e) {
                LOG.warn("The copy is left to the next start: partition={}", move.partition(), e);
            }
        }
    }

    /** Brings the copy nearer and, if little is left, ends the move; false if another turn is needed. */
    private boolean finished(Move move) throws IOException {
        move.source.disk().requireOnline();
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
            move.truncations = move.source.truncations();
        }
        move.future.truncateTo(cut);
        if (move.source.logStartOffset() > move.future.logEndOffset()) {
            begin(move);
        }
    }

    /**
     * The copy begins at the source's start, and knows the producers whose batches retention has taken: they may send again. That is forced
     * before the first batch, so that a copy with batches needs no source to know them.
     */
    private static void begin(Move move) {
        long start;
        List<ProducerState> known;
        synchronized (move.source.lock()) {
            start = move.source.logStartOffset();
            known = move.source.producers().knownBefore(start);
            move.truncations = move.source.truncations();
        }
        SegmentedLog future = move.future;
        future.truncateFully(start);
        future.change("Beginning a copy", () -> {
            future.producers().takeOver(known);
            if (!known.isEmpty()) {
                future.producers().snapshots().force(List.of(start));
                future.durability().syncFolder();
            }
        });
    }

    /**
     * Copies a piece; false if the source no longer holds what comes next, or was cut, which {@link #followStartAndCut} settles. What was
     * read after a cut does not follow what was copied before it: a crash would leave a copy of no history.
     */
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
            if (source.truncations() != move.truncations) {
                return false;
            }
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
            if (!isBehind(move) || move.source.truncations() != move.truncations) {
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
        long end = move.source.logEndOffset(); // an earlier process may have promised more than the recovery point says
        while (future.logEndOffset() < end) {
            if (!copy(move)) {
                return false; // the next turn follows
            }
        }
        long start = move.source.logStartOffset();
        if (start > future.logEndOffset()) {
            return false;
        }
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
        movedListeners.forEach(listener -> listener.accept(move.future));
        bearName(move);
        move.done.complete(move.future);
    }

    /** Only who bears the log's name for good is told of, to those who would look for the log nowhere else. */
    private void bearName(Move move) {
        SegmentedLog moved = move.future;
        try {
            moved.flush();
            directories.removal().leave(move.source);
            directories.movedLogs().add(move.source, moved);
            settledListeners.forEach(listener -> listener.accept(moved));
        } catch (RuntimeException e) {
            LOG.warn(
                    "A moved log was deleted or its directory failed: partition={} error={}",
                    move.partition(),
                    e.toString());
            if (!moved.closed() && moved.disk().online()) {
                directories.later(RETRY_MS, () -> bearName(move));
            }
        }
    }

    // ---- after a start

    /** See {@link FoundCopies.Copy}. */
    void found(SegmentedLog future, boolean whole) {
        directories.name(future);
        found.add(future, whole);
    }

    /** Others wait for their logs to be opened. */
    void settleAfterStart() {
        found.settle(directories);
    }

    /** A log was opened for its topic: a move of it that was interrupted goes on. The caller holds the manager's lock of changes. */
    void resume(SegmentedLog source) {
        for (FoundCopies.Copy copy : found.take(source.topicPartition())) {
            try {
                if (copy.isOf(source) && !moves.containsKey(source.topicPartition())) {
                    resume(source, copy);
                } else {
                    directories.removal().discard(copy.log());
                }
            } catch (LogStorageException e) {
                LOG.warn("A move does not go on: partition={}", source.topicPartition(), e);
            }
        }
    }

    private void resume(SegmentedLog source, FoundCopies.Copy copy) {
        SegmentedLog future = copy.log();
        Move move = new Move(source, future);
        future.reconfigure(source.config());
        boolean goesOn = copy.begins(source, environment.clock().wallMillis());
        if (!goesOn) {
            begin(move);
        }
        if (future.topicId().equals(Uuid.ZERO_UUID) && !source.topicId().equals(Uuid.ZERO_UUID)) {
            future.adopt(source.topicId());
        }
        LOG.info(
                "An interrupted move goes on: partition={} directory={} offset={} end={} anew={}",
                move.partition(),
                future.disk(),
                future.logEndOffset(),
                source.logEndOffset(),
                !goesOn);
        moves.put(move.partition(), move);
        directories.later(RESUME_MS, () -> turn(move));
    }
}
