package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where logs are put in two directories, and names that do not fit a folder. */
class DirectoryWishesTest {
    private static final Path ONE = Path.of("/one").toAbsolutePath();
    private static final Path TWO = Path.of("/two").toAbsolutePath();
    private static final TopicPartition WISHED = new TopicPartition("wished", 0);

    private final LogFixture fixture = new LogFixture(new MemoryFileStore(), ONE, TWO);

    @TempDir
    private Path real;

    @AfterEach
    void close() {
        fixture.close();
    }

    private DataDirectory second() {
        return fixture.directories().directories().get(1);
    }

    private Path placeOf(TopicPartition partition) {
        return fixture.log(partition, LogConfig.defaults()).directory().path();
    }

    @Test
    void aLogIsMadeWhereItWasWishedToBeAndTheWishEndsWithThat() {
        // Given: without a wish the first of two empty directories would be taken
        fixture.directories().prefer(WISHED, second());
        // When
        Path first = placeOf(WISHED);
        fixture.directories().delete(WISHED);
        Path again = placeOf(WISHED);
        // Then
        assertThat(first).isEqualTo(TWO);
        assertThat(again).isEqualTo(ONE);
    }

    @Test
    void ofTooManyWishesTheOldestIsForgotten() {
        fixture.directories().prefer(WISHED, second());
        for (int i = 0; i < DirectoryWishes.MOST; i++) {
            fixture.directories().prefer(new TopicPartition("never", i), second());
        }
        assertThat(placeOf(WISHED)).isEqualTo(ONE);
        fixture.directories().delete(WISHED);
        assertThat(placeOf(new TopicPartition("never", 0))).isEqualTo(TWO);
    }

    @Test
    void aLogWhoseCopyCouldNotBearItsNameDoesNotMove() {
        TopicPartition longest = new TopicPartition("t".repeat(213), 0);
        TopicPartition longer = new TopicPartition("t".repeat(214), 0);
        assertThat(placeOf(longest)).isEqualTo(ONE);
        assertThat(placeOf(longer)).isEqualTo(TWO);

        assertThat(fixture.directories().move(longest, second())).isCompleted();
        assertThatThrownBy(() -> fixture.directories().move(longer, second()))
                .isInstanceOf(InvalidTopicException.class);
    }

    @Test
    void tooLongANameIsNotTheDisksFault() {
        try (LogFixture onDisk = new LogFixture(new NioFileStore(), real)) {
            TopicPartition tooLong = new TopicPartition("t".repeat(249), 100_000);

            assertThatThrownBy(() -> onDisk.log(tooLong, LogConfig.defaults())).isInstanceOf(LogStorageException.class);

            assertThat(onDisk.directories().directories().get(0).online()).isTrue();
        }
    }
}
