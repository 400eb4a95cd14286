package io.barnabas.metadata.jpa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.RandomMetadata;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.metadata.TopicImage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class MetadataEntitiesTest {
    @TempDir
    Path directory;

    private final ExecutorService executor =
            new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final TestMetadata cluster = new TestMetadata();
    private MetadataEntities entities;

    @BeforeEach
    void open() {
        entities = new MetadataEntities(directory, executor);
        cluster.replayed().onEntry(entities);
    }

    @AfterEach
    void stop() {
        entities.close();
        executor.shutdown();
    }

    private void change(long seed, int commands) {
        RandomMetadata random = new RandomMetadata(seed);
        for (int i = 0; i < commands; i++) {
            cluster.replay(random.next(cluster.image()).toArray(ApiMessage[]::new));
        }
    }

    private void assertEntitiesSayWhatTheImageSays() {
        MetadataImage image = cluster.image();
        await().until(() -> entities.lag() == 0 && entities.lastApplied() == image.index());
        EntityRecords records = entities.read(EntityRecords::read);
        assertThat(records).isEqualTo(said(image));
    }

    private static EntityRecords said(MetadataImage image) {
        Map<String, String> configs = new HashMap<>();
        image.configResources().forEach(resource -> image.config(resource)
                .forEach((key, value) -> configs.put(resource.type() + "/" + resource.name() + "/" + key, value)));
        return new EntityRecords(
                image.index(),
                image.nextProducerId(),
                image.topics().stream().collect(Collectors.toMap(TopicImage::name, TopicImage::id)),
                image.topics().stream().collect(Collectors.toMap(TopicImage::id, TopicImage::partitions)),
                configs,
                image.features(),
                image.brokers().stream().collect(Collectors.toMap(b -> b.id(), b -> b)));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void sayWhatTheImageSaysAfterRandomCommands(long seed) {
        for (int round = 0; round < 5; round++) {
            // When
            change(seed * 100 + round, 60);
            // Then
            assertEntitiesSayWhatTheImageSays();
            assertThat(entities.timesRemade()).isZero();
        }
    }

    @Test
    void goOnWhereTheyWereAfterACleanStop() {
        // Given
        change(7, 100);
        entities.close();
        // When
        open();
        change(8, 50);
        // Then
        assertEntitiesSayWhatTheImageSays();
    }

    @Test
    void areNotOpenedByAWriteThatComesAfterTheirEnd() {
        // Given a write that waits
        Queue<Runnable> late = new ArrayDeque<>();
        Path other = directory.resolve("late");
        AtomicBoolean closes = new AtomicBoolean();
        MetadataEntities ended = new MetadataEntities(other, task -> {
            if (closes.get()) {
                task.run();
            } else {
                late.add(task);
            }
        });
        ended.onSnapshot(cluster.image());
        // When it is overtaken by the end
        closes.set(true);
        ended.close();
        late.remove().run();
        // Then
        assertThat(other).doesNotExist();
    }

    @Test
    void areRebuiltWhenTheyMissedEntries() {
        // Given
        change(9, 50);
        entities.close();
        change(10, 50);
        // When
        open();
        // Then
        assertEntitiesSayWhatTheImageSays();
    }

    @ParameterizedTest
    @ValueSource(strings = {"deleted", "cut", "garbage", "flipped"})
    void areRebuiltWhenTheirFileIs(String damage) throws IOException {
        // Given
        change(11, 100);
        assertEntitiesSayWhatTheImageSays();
        entities.close();
        damage(damage);
        // When
        open();
        change(12, 5);
        // Then
        assertEntitiesSayWhatTheImageSays();
    }

    private void damage(String damage) throws IOException {
        Path file;
        try (var files = Files.list(directory)) {
            file = files.filter(f -> f.toString().endsWith(".mv.db"))
                    .findFirst()
                    .orElseThrow();
        }
        switch (damage) {
            case "deleted" -> Files.delete(file);
            case "cut" -> {
                try (RandomAccessFile f = new RandomAccessFile(file.toFile(), "rw")) {
                    f.setLength(f.length() / 2);
                }
            }
            case "garbage" -> {
                byte[] bytes = new byte[50_000];
                new Random(1).nextBytes(bytes);
                Files.write(file, bytes);
            }
            default -> {
                byte[] bytes = Files.readAllBytes(file);
                Random random = new Random(2);
                for (int i = 0; i < 2_000; i++) {
                    bytes[random.nextInt(bytes.length)] ^= 0x55;
                }
                Files.write(file, bytes);
            }
        }
    }

    @Test
    void areRebuiltWhenTheyAreOfAnotherCluster() {
        // Given
        change(13, 10);
        assertEntitiesSayWhatTheImageSays();
        EntityRecords before = entities.read(EntityRecords::read);
        entities.close();
        // When
        TestMetadata other = new TestMetadata("another-cluster");
        entities = new MetadataEntities(directory, executor);
        other.replayed().onEntry(entities);
        // Then
        await().until(() -> entities.lastApplied() == other.image().index());
        assertThat(entities.read(EntityRecords::read))
                .isEqualTo(said(other.image()))
                .isNotEqualTo(before);
    }

    @Test
    void takeALargeTopicInOneTransaction() {
        // Given
        List<ApiMessage> records = io.barnabas.metadata.TestRecords.topic("big", 5_000);
        // When
        cluster.replay(records.toArray(ApiMessage[]::new));
        // Then
        await().atMost(60, TimeUnit.SECONDS).until(() -> entities.lag() == 0);
        assertEntitiesSayWhatTheImageSays();
    }
}
