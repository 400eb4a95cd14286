package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A follower truncates while its clients still read: they may be told that an offset is gone, but no disk is at fault. */
class ReadsDuringTruncationTest {
    private static final int ROUNDS = 60;

    @TempDir
    Path directory;

    @Test
    void readsMeetATruncationWithoutTakingTheDirectoryOffline() {
        TopicSettings topic = new TopicSettings();
        topic.segmentBytes = 300;
        try (LogFixture fixture = new LogFixture(new NioFileStore(), directory)) {
            PartitionLog log = fixture.log(topic.build());
            AtomicBoolean over = new AtomicBoolean();
            List<CompletableFuture<Void>> readers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Random random = new Random(i);
                readers.add(CompletableFuture.runAsync(() -> {
                    while (!over.get()) {
                        readSomewhere(log, random);
                    }
                }));
            }
            try {
                cutAndFill(log);
            } finally {
                over.set(true);
            }

            readers.forEach(CompletableFuture::join);
            assertThat(log.directory().online()).isTrue();
        }
    }

    private static void cutAndFill(PartitionLog log) {
        Random random = new Random(7);
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < 12; i++) {
                log.append(batch(1_700_000_000_000L, "value " + random.nextInt(1 << 20)), AppendOrigin.CLIENT, round);
            }
            if (round % 5 == 4) {
                log.truncateFully(log.logEndOffset() - random.nextInt(3));
            } else {
                log.truncateTo(log.logStartOffset() + random.nextInt(12));
            }
        }
    }

    private static void readSomewhere(PartitionLog log, Random random) {
        long start = log.logStartOffset();
        long end = log.logEndOffset();
        try {
            ReadResult read = log.read(start + random.nextInt((int) (end - start) + 1), 1 << 10, end, true, true);
            if (read.records() instanceof LogSlice slice) {
                slice.release();
            }
            log.offsetForTimestamp(1_700_000_000_000L, end);
        } catch (OffsetOutOfRangeException cutMeanwhile) {
            // as a client would be told
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
