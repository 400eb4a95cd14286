package io.barnabas.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The file in the data directory that names the server's process. */
final class ServerPid {
    private ServerPid() {}

    static Path file(Path data) {
        return data.resolve("barnabas.pid");
    }

    static void write(Path data, long pid) {
        try {
            Files.writeString(file(data), pid + "\n");
        } catch (IOException e) {
            throw new Refusal("cannot write " + file(data) + ": " + e);
        }
    }

    /** The pid that the file names, if it is that of a living Java process: after a crash the number may be somebody else's. */
    static Optional<Long> of(Path data) {
        try {
            long pid = Long.parseLong(Files.readString(file(data)).trim());
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .filter(p -> p.info().command().map(c -> c.contains("java")).orElse(true))
                    .map(ProcessHandle::pid);
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }
}
