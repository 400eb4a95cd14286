package io.barnabas.log;

import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * Logs in a directory of a test, on a manual clock, with everything on the test's thread. {@link #reopen} is an orderly restart,
 * {@link #crash} one without a word.
 */
public final class LogFixture implements AutoCloseable {
    public static final TopicPartition T0 = new TopicPartition("t", 0);
    public static final Uuid TOPIC_ID = new Uuid(7, 7);
    public static final long CLEANER_BACKOFF_MS = 15_000;

    public final ManualClock clock = new ManualClock();
    public final ManualTicker ticker = new ManualTicker(clock);
    public final FileStore files;
    /** False if what is told of moves does not arrive. */
    public boolean metadataLearn = true;

    private final LogManagerSettings settings;
    private LogDirectories directories;

    public LogFixture(FileStore files, Path... paths) {
        this(files, settings(paths));
    }

    public LogFixture(FileStore files, LogManagerSettings settings) {
        this.files = files;
        this.settings = settings;
        this.directories = open();
    }

    /** Kafka's defaults, cleaner off. */
    public static LogManagerSettings settings(Path... paths) {
        return settings(LogConfig.defaults(), paths);
    }

    public static LogManagerSettings settings(LogConfig defaults, Path... paths) {
        return new LogManagerSettings(
                List.of(paths),
                Set.of(),
                1,
                "cluster",
                defaults,
                300_000,
                false,
                1,
                15_000,
                1 << 20,
                Double.MAX_VALUE,
                86_400_000,
                600_000,
                2,
                60_000,
                30_000,
                Long.MAX_VALUE);
    }

    /** The same with the cleaner on: it looks for work every {@link #CLEANER_BACKOFF_MS}. */
    public static LogManagerSettings cleaning(LogManagerSettings plain) {
        return new LogManagerSettings(
                plain.directories(),
                plain.cordoned(),
                plain.brokerId(),
                plain.clusterId(),
                plain.defaults(),
                plain.retentionCheckIntervalMs(),
                true,
                1,
                CLEANER_BACKOFF_MS,
                1 << 16,
                Double.MAX_VALUE,
                plain.producerIdExpirationMs(),
                plain.producerIdExpirationCheckIntervalMs(),
                plain.recoveryThreads(),
                plain.flushCheckpointIntervalMs(),
                plain.initialTaskDelayMs(),
                plain.checkBytesPerSecond());
    }

    private LogDirectories open() {
        try {
            LogDirectories opened =
                    LogDirectories.open(settings, new LogEnvironment(files, clock, ticker, new DirectLogThreads()));
            opened.onSettled(log -> learn(opened, log));
            return opened;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void learn(LogDirectories of, PartitionLog log) {
        if (metadataLearn) {
            of.onMoveRecorded(log.topicPartition());
        }
    }

    public LogDirectories directories() {
        return directories;
    }

    public PartitionLog log(TopicPartition partition, LogConfig config) {
        try {
            PartitionLog log = directories.openOrCreate(partition, TOPIC_ID, config, null);
            learn(directories, log);
            return log;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public PartitionLog log(LogConfig config) {
        return log(T0, config);
    }

    /** Closes in order and opens again. */
    public LogFixture reopen() {
        close();
        directories = open();
        return this;
    }

    /** Forgets what is in memory and opens again: a killed process. The directory's lock is given back as the system does. */
    public LogFixture crash() {
        abandon();
        directories = open();
        return this;
    }

    /** The first half of {@link #crash}: between it and {@link #restart} a test may damage files. */
    public void abandon() {
        directories.abandon();
    }

    /** Opens again after {@link #abandon}. */
    public LogFixture restart() {
        directories = open();
        return this;
    }

    @Override
    public void close() {
        directories.close();
    }

    // ---- batches

    public static MemoryRecords batch(long timestamp, String... values) {
        return MemoryRecords.withRecords(Compression.NONE, records(timestamp, values));
    }

    public static MemoryRecords batch(Compression compression, long timestamp, String... values) {
        return MemoryRecords.withRecords(compression, records(timestamp, values));
    }

    public static MemoryRecords idempotent(long producerId, int epoch, int sequence, String... values) {
        return MemoryRecords.withIdempotentRecords(
                Compression.NONE, producerId, (short) epoch, sequence, records(1_700_000_000_000L, values));
    }

    public static MemoryRecords transactional(long producerId, int epoch, int sequence, String... values) {
        return MemoryRecords.withTransactionalRecords(
                Compression.NONE, producerId, (short) epoch, sequence, records(1_700_000_000_000L, values));
    }

    /** The batch that ends a transaction. */
    public static MemoryRecords marker(long producerId, int epoch, boolean commit, int coordinatorEpoch) {
        return MemoryRecords.withEndTransactionMarker(
                0L,
                1_700_000_000_000L,
                RecordBatch.NO_PARTITION_LEADER_EPOCH,
                producerId,
                (short) epoch,
                new EndTransactionMarker(
                        commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT, coordinatorEpoch));
    }

    private static SimpleRecord[] records(long timestamp, String... values) {
        SimpleRecord[] records = new SimpleRecord[values.length];
        for (int i = 0; i < values.length; i++) {
            records[i] = new SimpleRecord(
                    timestamp + i,
                    ("k" + values[i]).getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    values[i].getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        return records;
    }

    /** All data records as {@code offset:value}, read the way a consumer does. */
    public static List<String> contents(PartitionLog log) {
        List<String> all = new ArrayList<>();
        long next = log.logStartOffset();
        try {
            while (next < log.logEndOffset()) {
                ReadResult read = log.read(next, 64, log.logEndOffset(), true, false);
                if (!(read.records() instanceof LogSlice slice)) {
                    return all;
                }
                MemoryRecords records = slice.toMemory();
                slice.release();
                for (RecordBatch batch : records.batches()) {
                    batch.ensureValid();
                    for (Record record : batch) {
                        if (record.offset() >= next && !batch.isControlBatch()) {
                            all.add(record.offset() + ":" + text(record));
                        }
                    }
                    next = batch.nextOffset();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    private static String text(Record record) {
        byte[] bytes = new byte[record.valueSize()];
        record.value().get(bytes);
        return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }
}
