package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Logs that no partition has a use for, and that the administrator may have. */
class LogsSetAsideTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();

    private final MemoryFileStore files = new MemoryFileStore();
    private final LogFixture fixture = new LogFixture(files, DIRECTORY);

    @AfterEach
    void close() {
        fixture.close();
    }

    private List<Path> strays() throws IOException {
        return files.list(DIRECTORY).stream()
                .filter(path -> path.toString().endsWith(LogFolder.FOLDER_STRAY))
                .toList();
    }

    @Test
    void theFilesOfALogThatIsSetAsideStayWhateverBecomesOfItsName() throws IOException {
        // Given
        PartitionLog log = fixture.log(LogConfig.defaults());
        log.append(batch(1, "a", "b"), AppendOrigin.CLIENT, 0);
        List<Path> before = files.list(((SegmentedLog) log).folder().path());
        // When
        fixture.directories().setAside(LogFixture.T0);
        PartitionLog next =
                fixture.directories().openOrCreate(LogFixture.T0, new Uuid(8, 8), LogConfig.defaults(), null);
        next.append(batch(1, "c"), AppendOrigin.CLIENT, 0);
        fixture.ticker.advance(2 * LogConfig.defaults().fileDeleteDelayMs());
        // Then
        assertThat(strays()).hasSize(1);
        assertThat(files.list(strays().get(0))).hasSameSizeAs(before);
        PartitionLog afterwards =
                fixture.crash().directories().log(LogFixture.T0).orElseThrow();
        assertThat(contents(afterwards)).containsExactly("0:c");
        assertThat(strays()).hasSize(1);
    }
}
