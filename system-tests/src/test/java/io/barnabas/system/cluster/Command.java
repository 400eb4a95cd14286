package io.barnabas.system.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of the machine's own that is run and has soon ended. */
final class Command {
    private static final int PATIENCE_SECONDS = 60;

    private Command() {}

    /**
     * What came of it.
     *
     * @param status −1 if there is no such program, or it did not end
     */
    record Result(int status, String output) {}

    static Result result(List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    ? new Result(process.exitValue(), output.strip())
                    : new Result(-1, "not ended after " + PATIENCE_SECONDS + " s");
        } catch (IOException noSuchProgram) {
            return new Result(-1, String.valueOf(noSuchProgram.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(-1, "interrupted");
        }
    }

    /** Runs it, and fails if that does. */
    static String run(String... command) {
        return run(List.of(command));
    }

    static String run(List<String> command) {
        Result result = result(command);
        if (result.status() != 0) {
            throw new IllegalStateException(command + " ended with " + result.status() + ": " + result.output());
        }
        return result.output();
    }
}
