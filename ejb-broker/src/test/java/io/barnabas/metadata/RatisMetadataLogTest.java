package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.barnabas.metadata.Controller.Decision;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
class RatisMetadataLogTest {
    @TempDir
    Path directory;

    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private ReplayedMetadata metadata;
    private RatisMetadataLog log;
    private Controller controller;

    private final AtomicLong usableBytes = new AtomicLong(Long.MAX_VALUE);

    private void start() throws Exception {
        metadata = new ReplayedMetadata(TestMetadata.CLUSTER_ID, Throwable::printStackTrace);
        log = new RatisMetadataLog(
                RatisSettings.oneNode(directory, TestMetadata.CLUSTER_ID, 1),
                new JournalRoom(directory, usableBytes::get));
        controller = new Controller(log, metadata, 1, executor);
        log.start(metadata);
        await().until(controller::isActive);
    }

    @AfterEach
    void stop() {
        log.close();
        executor.shutdown();
    }

    private void create(String name, int partitions) {
        controller
                .submit("c", image -> Decision.of(TestRecords.topic(name, Uuid.randomUuid(), partitions), 0))
                .join();
    }

    @Test
    void refusesChangesWhileTheDiskIsFullAndTakesThemWhenThereIsRoom() throws Exception {
        // Given
        start();
        create("before", 1);
        // When
        usableBytes.set(JournalRoom.RESERVE_BYTES);
        // Then
        assertThatThrownBy(() -> create("full", 1)).hasCauseInstanceOf(KafkaStorageException.class);
        assertThat(metadata.image().topic("full")).isNull();
        // When
        usableBytes.set(2 * JournalRoom.RESERVE_BYTES);
        // Then
        create("after", 1);
        assertThat(metadata.image().topics()).hasSize(2);
    }

    @Test
    void keepsWhatWasCommittedAcrossCleanRestarts() throws Exception {
        // Given
        start();
        for (int i = 0; i < 200; i++) {
            create("a" + i, 1);
        }
        create("big", 5000);
        // When
        log.close();
        start();
        // Then
        assertThat(metadata.image().topics()).hasSize(201);
        create("b", 1);
        log.close();
        start();
        assertThat(metadata.image().topics()).hasSize(202);
        assertThat(metadata.image().topic("big").partitions()).hasSize(5000);
        log.close();
    }
}
