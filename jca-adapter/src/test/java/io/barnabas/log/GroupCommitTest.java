package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Forces on production's threads: the first one is held until everybody waits. */
class GroupCommitTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final int WAITERS = 100;
    private static final long TIME = 1_700_000_000_000L;

    private final MemoryFileStore files = new MemoryFileStore();
    private final AtomicInteger forces = new AtomicInteger();
    private final CountDownLatch firstForce = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private LogDirectories directories;
    private PartitionLog log;

    @BeforeEach
    void open() throws IOException {
        ManualClock clock = new ManualClock();
        TopicSettings topic = new TopicSettings();
        topic.durability = LogConfig.Durability.FSYNC;
        directories = LogDirectories.open(
                LogFixture.settings(DIRECTORY),
                new LogEnvironment(files, clock, new ManualTicker(clock), new OwnLogThreads(1)));
        log = directories.openOrCreate(LogFixture.T0, new Uuid(1, 1), topic.build(), null);
    }

    @AfterEach
    void close() throws IOException {
        go.countDown();
        files.setFault((operation, path) -> {});
        directories.close();
    }

    private void holdForces(boolean thenFail) {
        files.setFault((operation, path) -> {
            if (operation.equals("force") && path.toString().endsWith(".log")) {
                forces.incrementAndGet();
                firstForce.countDown();
                try {
                    assertThat(go.await(10, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                if (thenFail) {
                    throw new IOException("Input/output error");
                }
            }
        });
    }

    /** The channel's operations hold the store's monitor, so nobody appends while a force is held: append first. */
    private List<CompletableFuture<Void>> appendAndWait() {
        List<Long> ends = new ArrayList<>();
        for (int i = 0; i < WAITERS; i++) {
            ends.add(log.append(batch(TIME, "v" + i), AppendOrigin.CLIENT, 0).lastOffset() + 1);
        }
        return ends.stream().map(log::durable).toList();
    }

    @Test
    void manyWaitersShareAFewForces() throws InterruptedException {
        // Given
        holdForces(false);
        List<CompletableFuture<Void>> waiting = appendAndWait();
        assertThat(firstForce.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(waiting).noneMatch(CompletableFuture::isDone);

        // When
        go.countDown();

        // Then
        CompletableFuture.allOf(waiting.toArray(new CompletableFuture<?>[0]))
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
        assertThat(forces.get()).isBetween(1, 2);
        assertThat(log.recoveryPoint()).isEqualTo(WAITERS);
    }

    /** A former leader's producers waited for more than the log holds after it was cut to the new leader's. */
    @Test
    void whoWaitsForWhatIsCutOffIsToldAndHoldsUpNobody() throws IOException {
        // Given forces that come when the log has been cut
        DirectLogThreads threads = new DirectLogThreads();
        ManualClock clock = new ManualClock();
        TopicSettings topic = new TopicSettings();
        topic.durability = LogConfig.Durability.FSYNC;
        LogEnvironment environment = new LogEnvironment(new MemoryFileStore(), clock, new ManualTicker(clock), threads);
        List<CompletableFuture<Void>> waiting = new ArrayList<>();
        try (LogDirectories cut = LogDirectories.open(LogFixture.settings(DIRECTORY), environment)) {
            PartitionLog follower = cut.openOrCreate(LogFixture.T0, new Uuid(1, 1), topic.build(), null);
            threads.worker().execute(() -> {
                for (String value : List.of("a", "b", "c")) {
                    follower.append(batch(TIME, value), AppendOrigin.CLIENT, 0);
                }
                waiting.add(follower.durable(3));

                // When
                follower.truncateTo(1);
                follower.append(batch(TIME, "d"), AppendOrigin.CLIENT, 0);
                waiting.add(follower.durable(2));
            });
        }

        // Then
        assertThat(waiting.get(0)).isCompletedExceptionally();
        assertThat(waiting.get(1)).isCompletedWithValue(null);
    }

    @Test
    void anErrorInAForceLeavesNobodyWaiting() {
        // Given
        files.setFault((operation, path) -> {
            if (operation.equals("force") && path.toString().endsWith(".log")) {
                throw new StackOverflowError("as an error of the virtual machine");
            }
        });

        // When
        List<CompletableFuture<Void>> waiting = appendAndWait();

        // Then
        for (CompletableFuture<Void> each : waiting) {
            assertThatThrownBy(() -> each.orTimeout(10, TimeUnit.SECONDS).join())
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(LogStorageException.class);
        }
        assertThat(log.directory().online()).isFalse();
    }

    @Test
    void aFailedForceAcknowledgesNobodyAndTakesTheDirectoryOffline() {
        // Given
        holdForces(true);
        List<CompletableFuture<Void>> waiting = appendAndWait();

        // When
        go.countDown();

        // Then
        for (CompletableFuture<Void> each : waiting) {
            assertThatThrownBy(() -> each.orTimeout(10, TimeUnit.SECONDS).join())
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(LogStorageException.class);
        }
        assertThat(forces.get()).isOne();
        assertThat(log.directory().online()).isFalse();
        assertThatThrownBy(() -> log.append(batch(TIME, "late"), AppendOrigin.CLIENT, 0))
                .isInstanceOf(LogStorageException.class);
    }
}
