package io.barnabas.log;

import java.io.IOException;
import java.util.Optional;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;

/**
 * Reads and searches of one log. Before {@link LogReader} and {@link TimestampSearch}: takes the view of the moment, no lock, and looks
 * again where a segment went away meanwhile, by deletion, truncation or compaction. Any thread.
 */
final class LogQueries {
    private final SegmentedLog log;
    private final SegmentedLog.LogParts parts;
    private final LogState state;

    LogQueries(SegmentedLog log, SegmentedLog.LogParts parts, LogState state) {
        this.log = log;
        this.parts = parts;
        this.state = state;
    }

    ReadResult read(LogReader.Request request) {
        while (true) {
            LogView now = state.view;
            parts.directory().requireOnline();
            if (request.offset() < state.logStartOffset || request.offset() > now.endOffset()) {
                throw new OffsetOutOfRangeException("Offset " + request.offset() + " of " + parts.partition()
                        + " is not in " + state.logStartOffset + " to " + now.endOffset());
            }
            try {
                return LogReader.read(now, request);
            } catch (IOException e) {
                judge(now, e);
            }
        }
    }

    /**
     * Returns if the segments are others now: the caller looks again. A truncation takes files away before it publishes what is left, as
     * the disk must have it in that order; so it is waited for here.
     */
    private void judge(LogView seen, IOException e) {
        log.requireOpen();
        if (state.view.segments() == seen.segments()) {
            synchronized (log.lock()) {
                if (state.view.segments() != seen.segments()) {
                    return;
                }
                log.requireOpen();
            }
            throw e instanceof DamagedSegmentException
                    ? damaged(e)
                    : parts.directory().failed("A read of " + parts.partition(), e);
        }
    }

    /** What lies before and behind the damage, and other partitions, are still served, as by Kafka. */
    private RuntimeException damaged(IOException e) {
        parts.owner().damaged(log, e);
        return new CorruptRecordException(e.getMessage(), e);
    }

    /** The first record with a timestamp at least {@code timestamp}. */
    Optional<PartitionLog.TimestampOffset> first(long timestamp, long upTo) {
        return search(view -> TimestampSearch.first(view, timestamp, state.logStartOffset, upTo));
    }

    /** The record with the greatest timestamp. */
    Optional<PartitionLog.TimestampOffset> max(long upTo) {
        return search(view -> TimestampSearch.max(view, state.logStartOffset, upTo));
    }

    /** A search by time over one view. */
    private interface Search {
        Optional<TimestampSearch.Found> in(LogView view) throws IOException;
    }

    private Optional<PartitionLog.TimestampOffset> search(Search search) {
        while (true) {
            LogView now = state.view;
            parts.directory().requireOnline();
            try {
                return search.in(now)
                        .map(found -> new PartitionLog.TimestampOffset(
                                found.timestamp(), found.offset(), state.epochs.at(found.offset())));
            } catch (IOException e) {
                judge(now, e);
            }
        }
    }
}
