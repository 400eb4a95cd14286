package io.barnabas.system.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * CPU time of a broker's process, from the kernel, without what its compiler threads used: that is the price of starting, and noise
 * here. The broker should run with {@code -XX:-UseDynamicNumberOfCompilerThreads}, so that no compiler thread ends.
 */
final class BrokerCpu {
    private static final double TICKS_PER_SECOND = 100;
    private static final int USER_TIME = 11; // fields after the command's name
    private static final int SYSTEM_TIME = 12;

    private final Path process;

    BrokerCpu(long pid) {
        process = Path.of("/proc", Long.toString(pid));
    }

    /** CPU-seconds up to now. */
    double seconds() {
        try (Stream<Path> tasks = Files.list(process.resolve("task"))) {
            long compilers = 0;
            for (Path task : tasks.toList()) {
                compilers += isCompiler(task) ? ticks(task.resolve("stat")) : 0;
            }
            return (ticks(process.resolve("stat")) - compilers) / TICKS_PER_SECOND;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isCompiler(Path task) {
        try {
            String name = Files.readString(task.resolve("comm"));
            return name.startsWith("C1") || name.startsWith("C2");
        } catch (IOException ended) {
            return false;
        }
    }

    private static long ticks(Path stat) throws IOException {
        String line = Files.readString(stat);
        List<String> fields = List.of(line.substring(line.lastIndexOf(')') + 2).split(" "));
        return Long.parseLong(fields.get(USER_TIME)) + Long.parseLong(fields.get(SYSTEM_TIME));
    }
}
