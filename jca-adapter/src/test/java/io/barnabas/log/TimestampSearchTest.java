package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.record.TimestampType;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** ListOffsets by time over several segments. */
class TimestampSearchTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long TIME = 1_700_000_000_000L;
    private final MemoryFileStore files = new MemoryFileStore();
    private final LogFixture fixture = new LogFixture(files, DIRECTORY);
    private final TopicSettings topic = new TopicSettings();

    @AfterEach
    void close() {
        fixture.close();
    }

    private long find(PartitionLog log, long timestamp, long upTo) throws IOException {
        return log.offsetForTimestamp(timestamp, upTo)
                .map(PartitionLog.TimestampOffset::offset)
                .orElse(-1L);
    }

    @Test
    void timesOutOfOrderAreFoundAsAWalkWouldFindThem() throws IOException {
        topic.segmentBytes = 600;
        topic.indexIntervalBytes = 50;
        PartitionLog log = fixture.log(topic.build());
        Random random = new Random(3);
        long[] times = new long[120];
        for (int i = 0; i < times.length; i++) {
            times[i] = TIME + random.nextInt(300);
            log.append(batch(times[i], "v" + i), AppendOrigin.CLIENT, 0);
        }
        for (int round = 0; round < 2; round++) {
            for (int start : new int[] {0, 37}) {
                log.deleteRecordsBefore(start);
                for (long time = TIME - 1; time < TIME + 302; time += 7) {
                    assertThat(find(log, time, 120)).isEqualTo(first(times, time, start, 120));
                    assertThat(find(log, time, 60)).isEqualTo(first(times, time, start, 60));
                }
                assertThat(log.maxTimestamp(120).orElseThrow().offset())
                        .isEqualTo(first(times, max(times, start, 120), start, 120));
                assertThat(log.maxTimestamp(60).orElseThrow().offset())
                        .isEqualTo(first(times, max(times, start, 60), start, 60));
            }
            log = fixture.crash().log(topic.build());
            times = java.util.Arrays.copyOf(times, times.length);
            java.util.Arrays.fill(times, 0, 37, Long.MIN_VALUE);
        }
    }

    private static long first(long[] times, long at, int from, int upTo) {
        for (int i = from; i < upTo; i++) {
            if (times[i] >= at) {
                return i;
            }
        }
        return -1;
    }

    private static long max(long[] times, int from, int upTo) {
        long max = -1;
        for (int i = from; i < upTo; i++) {
            max = Math.max(max, times[i]);
        }
        return max;
    }

    @Test
    void aSearchThatLooksUpTheGreatestTimestampWhileABatchIsAppendedDoesNotHideTheBatch() throws Exception {
        // Given a log that nobody used since its orderly start, and a search that is reading in it
        fixture.log(topic.build()).append(batch(TIME, "old"), AppendOrigin.CLIENT, 0);
        SegmentedLog log = (SegmentedLog) fixture.reopen().log(topic.build());
        PausedRead paused = new PausedRead(files);
        Thread search = new Thread(() -> log.maxTimestamp(1));
        search.start();
        paused.begun.await();

        // When
        Thread append = new Thread(() -> log.append(batch(TIME + 5_000, "new"), AppendOrigin.CLIENT, 0));
        append.start();
        Awaitility.await().until(() -> !append.isAlive() || append.getState() == Thread.State.BLOCKED);
        paused.goOn();
        search.join();
        append.join();
        log.roll();

        // Then
        assertThat(find(log, TIME + 5_000, 2)).isEqualTo(1);
    }

    /** Holds up the first read of a segment, and nothing else. */
    private static final class PausedRead implements MemoryFileStore.Fault {
        private final MemoryFileStore files;
        private final CountDownLatch begun = new CountDownLatch(1);
        // guarded by files
        private boolean paused;
        private boolean goes;

        PausedRead(MemoryFileStore files) {
            this.files = files;
            files.setFault(this);
        }

        @Override
        public void before(String operation, Path path) {
            if (paused || !operation.equals("read") || !path.toString().endsWith(LogFolder.LOG)) {
                return;
            }
            paused = true;
            begun.countDown();
            try {
                while (!goes) {
                    files.wait(); // lets others at the files
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        void goOn() {
            synchronized (files) {
                goes = true;
                files.notifyAll();
            }
        }
    }

    @Test
    void underLogAppendTimeTheBrokersTimeIsFoundNotTheProducers() throws IOException {
        topic.timestampType = TimestampType.LOG_APPEND_TIME;
        topic.segmentBytes = 200;
        PartitionLog log = fixture.log(topic.build());
        for (int i = 0; i < 10; i++) {
            log.append(batch(TIME + 500_000 - i, "a", "b"), AppendOrigin.CLIENT, 0);
            fixture.clock.advance(1_000);
        }

        assertThat(find(log, TIME + 3_000, 20)).isEqualTo(6);
        assertThat(find(log, TIME + 3_001, 20)).isEqualTo(8);
        assertThat(find(log, TIME + 9_001, 20)).isEqualTo(-1);
        assertThat(log.maxTimestamp(20).orElseThrow().timestamp()).isEqualTo(TIME + 9_000);
    }
}
