package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves logs between data directories (AlterReplicaLogDirs): copies into a future log beside the appends and swaps when only a little is
 * left, which it copies under the log's lock.
 *
 * <p>Threads: copies run on the worker, a piece at a time, so that other work gets its turn.
 */
final class LogMover {
    private static final Logger LOG = LoggerFactory.getLogger(LogMover.class);
    private static final int PIECE_BYTES = 1 << 20;
    private static final int PIECES_A_TURN = 64;

    private final LogDirectories directories;
    private final LogEnvironment environment;
    private final Map<TopicPartition, Move> moves = new ConcurrentHashMap<>();
    private final Queue<SegmentedLog> found = new ConcurrentLinkedQueue<>();

    private record Move(SegmentedLog source, SegmentedLog future, CompletableFuture<PartitionLog> done) {}

    LogMover(LogDirectories directories, LogEnvironment environment) {
        this.directories = directories;
        this.environment = environment;
    }

    /** Begins a move, or answers the one that is under way. The caller holds the manager's lock of changes. */
    CompletableFuture<PartitionLog> move(SegmentedLog source, DiskDirectory target) {
        if (source.disk() == target) {
            cancel(source.topicPartition());
            return CompletableFuture.completedFuture(source);
        }
        Move present = moves.get(source.topicPartition());
        if (present != null) {
            if (present.future().disk() == target) {
                return present.done();
            }
            cancel(source.topicPartition());
        }
        SegmentedLog future =
                directories.create(source.topicPartition(), source.topicId(), source.config(), target, true);
        future.truncateFully(source.logStartOffset());
        Move move = new Move(source, future, new CompletableFuture<>());
        moves.put(source.topicPartition(), move);
        environment.threads().worker().execute(() -> turn(move));
        return move.done();
    }

    Collection<PartitionLog> futureLogs() {
        return moves.values().stream().map(move -> (PartitionLog) move.future()).toList();
    }

    void cancel(TopicPartition partition) {
        Move move = moves.remove(partition);
        if (move != null) {
            move.done()
                    .completeExceptionally(
                            new UnknownTopicOrPartitionException("The move of " + partition + " was given up"));
            directories.discard(move.future());
        }
    }

    void stop() {
        for (Move move : moves.values()) {
            move.done().completeExceptionally(new LogStorageException("The logs are closed"));
            move.future().retire();
            move.future().closeFiles();
        }
        moves.clear();
    }

    private boolean underWay(Move move) {
        return move.equals(moves.get(move.source().topicPartition()));
    }

    private void turn(Move move) {
        try {
            if (!underWay(move)) {
                return;
            }
            catchUpStart(move);
            ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
            for (int i = 0; i < PIECES_A_TURN; i++) {
                if (move.future().logEndOffset() >= move.source().logEndOffset()) {
                    finish(move);
                    return;
                }
                piece = copy(move, piece);
            }
            environment.threads().worker().execute(() -> turn(move));
        } catch (IOException | RuntimeException e) {
            LOG.warn(
                    "A move between directories failed: partition={}",
                    move.source().topicPartition(),
                    e);
            if (moves.remove(move.source().topicPartition(), move)) {
                move.done().completeExceptionally(e);
                if (move.future().disk().online() && !move.future().closed()) {
                    directories.discard(move.future());
                }
            }
        }
    }

    /** Retention may have moved the source's start past what was copied. */
    private static void catchUpStart(Move move) {
        if (move.source().logStartOffset() > move.future().logEndOffset()) {
            move.future().truncateFully(move.source().logStartOffset());
        }
    }

    private static ByteBuffer copy(Move move, ByteBuffer piece) throws IOException {
        SegmentedLog source = move.source();
        ReadResult read = source.read(move.future().logEndOffset(), PIECE_BYTES, source.logEndOffset(), true, false);
        if (!(read.records() instanceof LogSlice slice)) {
            return piece;
        }
        try {
            ByteBuffer into =
                    slice.sizeInBytes() <= piece.capacity() ? piece.clear() : ByteBuffer.allocate(slice.sizeInBytes());
            into.limit(slice.sizeInBytes());
            while (into.hasRemaining()) {
                if (slice.channel().read(into, slice.position() + into.position()) < 0) {
                    throw new java.io.EOFException("A slice of " + source + " is short");
                }
            }
            into.flip().limit(wholeBatches(into));
            move.future().append(MemoryRecords.readableRecords(into), AppendOrigin.REPLICATION, -1);
            return into;
        } finally {
            slice.release();
        }
    }

    private static int wholeBatches(ByteBuffer buffer) {
        int at = 0;
        while (buffer.limit() - at >= BatchHeader.SIZE && BatchHeader.sizeInBytes(buffer, at) <= buffer.limit() - at) {
            at += BatchHeader.sizeInBytes(buffer, at);
        }
        return at;
    }

    /** Copies the rest under the source's lock, and swaps. */
    private void finish(Move move) throws IOException {
        synchronized (directories.changes()) {
            if (!underWay(move)) {
                return;
            }
            move.future().flush();
            synchronized (move.source().lock()) {
                ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
                while (move.future().logEndOffset() < move.source().logEndOffset()) {
                    piece = copy(move, piece);
                }
                move.future().flush();
                move.future().onHighWatermark(move.source().highWatermark());
                directories.swap(move.source(), move.future());
            }
            moves.remove(move.source().topicPartition());
        }
        directories.announceMoved(move.future());
        move.done().complete(move.future());
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
