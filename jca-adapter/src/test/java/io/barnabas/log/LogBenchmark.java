package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the log costs without sockets: judging and appending one batch, finding a slice for a fetch, and an index look-up. On real
 * files; see docs/performance.md for the command.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LogBenchmark {
    private static final int VALUE_BYTES = 1000;

    /** A directory with one log, emptied between iterations so that the disk does not fill. */
    @State(Scope.Thread)
    public static class EmptyLog {
        @Param({"1", "16", "512"})
        int records;

        @Param({"NONE", "LZ4", "ZSTD"})
        CompressionType codec;

        private Path folder;
        private LogFixture logs;
        PartitionLog log;
        ByteBuffer batch;

        @Setup
        public void open() throws IOException {
            folder = Files.createTempDirectory("log-benchmark");
            logs = new LogFixture(new NioFileStore(), folder);
            log = logs.log(LogConfig.defaults());
            batch = batch(codec, records, logs.clock.wallMillis());
        }

        @Setup(Level.Iteration)
        public void empty() {
            log.truncateFully(0);
        }

        @TearDown
        public void close() throws IOException {
            logs.close();
            remove(folder);
        }
    }

    /** A log of 200,000 batches of one record in one segment: its index has 50,000 entries. */
    @State(Scope.Thread)
    public static class FullLog {
        private static final int BATCHES = 200_000;

        private final SplittableRandom random = new SplittableRandom(42);
        private Path folder;
        private LogFixture logs;
        private OffsetIndex index;
        PartitionLog log;

        @Setup
        public void fill() throws IOException {
            folder = Files.createTempDirectory("log-benchmark");
            logs = new LogFixture(new NioFileStore(), folder);
            log = logs.log(LogConfig.defaults());
            ByteBuffer batch = batch(CompressionType.NONE, 1, logs.clock.wallMillis());
            for (int i = 0; i < BATCHES; i++) {
                batch.putLong(0, 0);
                log.append(MemoryRecords.readableRecords(batch.duplicate()), AppendOrigin.CLIENT, 0);
            }
            log.onHighWatermark(BATCHES);
            log.flush();
            LogFolder files = new LogFolder(new NioFileStore(), folder.resolve("t-0"));
            index = new OffsetIndex(files, 0, "");
        }

        long anyOffset() {
            return random.nextInt(BATCHES);
        }

        @TearDown
        public void close() throws IOException {
            logs.close();
            remove(folder);
        }
    }

    /** Produce, from the decoded request on: CRC, header, records, offsets, the write. */
    @Benchmark
    public AppendResult append(EmptyLog state) {
        state.batch.putLong(0, 0);
        return state.log.append(MemoryRecords.readableRecords(state.batch.duplicate()), AppendOrigin.CLIENT, 0);
    }

    /** Fetch at any offset, 1 MB at most, up to the range of a file that would be sent. */
    @Benchmark
    public int fetch(FullLog state) throws IOException {
        ReadResult read = state.log.read(state.anyOffset(), 1 << 20, Long.MAX_VALUE, true, false);
        int size = read.records().sizeInBytes();
        if (read.records() instanceof LogSlice slice) {
            slice.release();
        }
        return size;
    }

    /** The offset index alone. */
    @Benchmark
    public OffsetIndex.Entry indexLookUp(FullLog state) throws IOException {
        return state.index.floor(state.anyOffset());
    }

    private static ByteBuffer batch(CompressionType codec, int records, long timestamp) {
        SplittableRandom random = new SplittableRandom(7);
        SimpleRecord[] all = IntStream.range(0, records)
                .mapToObj(i -> new SimpleRecord(timestamp, null, text(random)))
                .toArray(SimpleRecord[]::new);
        return ProducedBatch.direct(
                MemoryRecords.withRecords(Compression.of(codec).build(), all).buffer());
    }

    /** Letters that compress about as well as JSON does. */
    private static byte[] text(SplittableRandom random) {
        byte[] value = new byte[VALUE_BYTES];
        for (int i = 0; i < VALUE_BYTES; i++) {
            value[i] = (byte) (i % 4 == 0 ? 'a' + random.nextInt(26) : "{\"i".charAt(i % 4 - 1));
        }
        return value;
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.delete(file);
            }
        }
    }
}
