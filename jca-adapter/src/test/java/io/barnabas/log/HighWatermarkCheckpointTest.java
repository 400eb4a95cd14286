package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** High watermarks outlive the process in Kafka's file, and never promise what the log does not have. */
class HighWatermarkCheckpointTest {
    @TempDir
    Path directory;

    private LogFixture fixture;
    private PartitionLog log;

    @BeforeEach
    void open() {
        fixture = new LogFixture(new NioFileStore(), directory);
        log = fixture.log(LogConfig.defaults());
        log.append(LogFixture.batch(1, "a", "b", "c"), AppendOrigin.CLIENT, 0);
        log.append(LogFixture.batch(1, "d"), AppendOrigin.CLIENT, 0);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private Path file() {
        return directory.resolve("replication-offset-checkpoint");
    }

    private long afterRestart() {
        log = fixture.log(LogConfig.defaults());
        return log.highWatermark();
    }

    @Test
    void whatWasWrittenIsKnownAfterACrash() throws IOException {
        log.onHighWatermark(3);
        fixture.directories().checkpointHighWatermarks();
        log.onHighWatermark(4);

        fixture.crash();

        assertThat(file()).hasContent("0\n1\nt 0 3\n");
        assertThat(afterRestart()).isEqualTo(3);
    }

    @Test
    void anOrderlyEndWritesTheLast() {
        log.onHighWatermark(4);

        fixture.reopen();

        assertThat(afterRestart()).isEqualTo(4);
    }

    @Test
    void whatTheLogDoesNotHaveIsNotCommitted() throws IOException {
        fixture.abandon();
        Files.write(file(), "0\n1\nt 0 100\n".getBytes(StandardCharsets.UTF_8));

        fixture.restart();

        assertThat(afterRestart()).isEqualTo(4);
    }

    @Test
    void aDamagedFileSaysNothing() throws IOException {
        fixture.abandon();
        Files.write(file(), "0\n2\nt 0 3\n".getBytes(StandardCharsets.UTF_8));

        fixture.restart();

        assertThat(afterRestart()).isZero();
    }

    @Test
    void whatIsCutOffBelowItIsNotPromisedAnyMore() {
        log.onHighWatermark(4);
        fixture.directories().checkpointHighWatermarks();

        log.truncateTo(3);
        log.append(LogFixture.batch(1, "x"), AppendOrigin.CLIENT, 1);
        fixture.crash();

        assertThat(afterRestart()).isEqualTo(3);
    }

    @Test
    void aNewLogOfADeletedOnesNameBeginsWithoutIt() {
        log.onHighWatermark(4);
        fixture.directories().checkpointHighWatermarks();

        fixture.directories().delete(LogFixture.T0);
        fixture.log(LogConfig.defaults()).append(LogFixture.batch(1, "x"), AppendOrigin.CLIENT, 0);
        fixture.crash();

        assertThat(afterRestart()).isZero();
    }
}
