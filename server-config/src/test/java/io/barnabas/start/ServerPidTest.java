package io.barnabas.start;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose a data directory is. */
class ServerPidTest {
    @TempDir
    Path data;

    @Test
    void nobody_is_on_a_fresh_directory() {
        assertThat(ServerPid.of(data)).isEmpty();
    }

    @Test
    void a_number_that_a_crash_left_behind_is_nobodys_although_such_a_process_lives() throws Exception {
        Files.writeString(data.resolve("barnabas.pid"), ProcessHandle.current().pid() + "\n");

        assertThat(ServerPid.of(data)).isEmpty();
    }

    @Test
    void the_process_that_took_the_directory_is_on_it_and_no_other_may_take_it() {
        long pid = ProcessHandle.current().pid();

        ServerPid.take(data);

        assertThat(ServerPid.of(data)).contains(pid);
        assertThatThrownBy(() -> ServerPid.take(data))
                .isInstanceOf(Refusal.class)
                .hasMessageContainingAll(data.toString(), "in use", "pid " + pid, "--data");
    }

    @Test
    void whoOnlyLooksForAMomentRefusesNobody() throws Exception {
        // Given
        Path file = Files.createFile(data.resolve("barnabas.pid"));
        FileChannel looking = FileChannel.open(file, StandardOpenOption.READ);
        assertThat(looking.lock(0, Long.MAX_VALUE, true).isShared()).isTrue();
        CompletableFuture<Void> looked = CompletableFuture.runAsync(
                () -> close(looking), CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS));

        // When
        ServerPid.take(data);

        // Then
        assertThat(looked).isCompleted();
        assertThat(ServerPid.of(data)).contains(ProcessHandle.current().pid());
    }

    private static void close(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
