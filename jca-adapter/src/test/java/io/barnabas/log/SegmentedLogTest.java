package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentedLogTest {
    @TempDir
    Path directory;

    @Test
    void recordsAreReadBackAfterAnOrderlyRestart() {
        try (LogFixture fixture = new LogFixture(new NioFileStore(), directory)) {
            // Given
            PartitionLog log = fixture.log(LogConfig.defaults());
            log.onLeaderEpoch(3);

            // When
            AppendResult first = log.append(batch(1_700_000_000_000L, "a", "b"), AppendOrigin.CLIENT, 3);
            AppendResult second = log.append(batch(1_700_000_000_001L, "c"), AppendOrigin.CLIENT, 3);
            PartitionLog again = fixture.reopen().log(LogConfig.defaults());

            // Then
            assertThat(first.baseOffset()).isZero();
            assertThat(first.lastOffset()).isEqualTo(1);
            assertThat(second.baseOffset()).isEqualTo(2);
            assertThat(contents(again)).containsExactly("0:a", "1:b", "2:c");
            assertThat(again.logEndOffset()).isEqualTo(3);
            assertThat(again.recoveryPoint()).isEqualTo(3);
            assertThat(again.latestEpoch()).hasValue(3);
            again.append(batch(1_700_000_000_002L, "d"), AppendOrigin.CLIENT, 3);
            assertThat(contents(again)).endsWith("3:d");
        }
    }

    @Test
    void aKilledProcessLosesNothingThatWasAppended() {
        try (LogFixture fixture = new LogFixture(new NioFileStore(), directory)) {
            // Given
            PartitionLog log = fixture.log(LogConfig.defaults());
            for (int i = 0; i < 100; i++) {
                log.append(batch(1_700_000_000_000L + i, "v" + i), AppendOrigin.CLIENT, 0);
            }

            // When
            PartitionLog again = fixture.crash().log(LogConfig.defaults());

            // Then
            assertThat(contents(again)).hasSize(100).endsWith("99:v99");
        }
    }

    @Test
    void readsOutsideTheLogAreRefused() {
        try (LogFixture fixture = new LogFixture(new NioFileStore(), directory)) {
            PartitionLog log = fixture.log(LogConfig.defaults());
            log.append(batch(1_700_000_000_000L, "a"), AppendOrigin.CLIENT, 0);

            assertThatThrownBy(() -> log.read(2, 100, 10, true, false)).isInstanceOf(OffsetOutOfRangeException.class);
            assertThatThrownBy(() -> log.read(-1, 100, 10, true, false)).isInstanceOf(OffsetOutOfRangeException.class);
        }
    }
}
