package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalReserveTest {
    @TempDir
    Path directory;

    @Test
    void holdsRoomWhileThereIsPlentyAndGivesItWhenTheDiskIsFull() {
        // Given
        JournalReserve reserve = new JournalReserve(directory);
        // When
        long kept = reserve.onDisk(true);
        // Then
        assertThat(directory.resolve("reserve")).hasSize(JournalReserve.BYTES);
        assertThat(kept).isZero();
        // When
        kept = reserve.onDisk(false);
        // Then
        assertThat(directory.resolve("reserve")).doesNotExist();
        assertThat(kept).isEqualTo(JournalReserve.BYTES);
    }
}
