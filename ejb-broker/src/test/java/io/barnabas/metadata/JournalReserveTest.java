package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
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

    @Test
    void keepsRecordsOffTheRoomThatItHasNotTakenAgainYet() throws Exception {
        // Given a disk that was full
        AtomicLong usable = new AtomicLong(1L << 30);
        JournalReserve reserve = new JournalReserve(directory, usable::get);
        reserve.onDisk(true);
        reserve.onDisk(false);
        // When there is a little room again
        usable.set(2 * JournalReserve.BYTES);
        // Then records leave the journal its part of it
        assertThat(reserve.onDisk(true)).isEqualTo(JournalReserve.BYTES);
        // Nor does a part of the reserve count
        Files.write(directory.resolve("reserve"), new byte[100]);
        assertThat(reserve.onDisk(true)).isEqualTo(JournalReserve.BYTES);
        // When there is plenty
        usable.set(1L << 30);
        // Then it is whole again
        assertThat(reserve.onDisk(true)).isZero();
        assertThat(directory.resolve("reserve")).hasSize(JournalReserve.BYTES);
    }
}
