package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Commands that need Kafka's client, which is inside the jar: the process is replaced once by one that has it on its class path.
 */
final class ClientCommand {
    private static final String WITH_CLIENT = "barnabas.with.client";

    private ClientCommand() {}

    /** Returns if the client is on the class path, and does not otherwise. */
    static void ensureClient(String... arguments) {
        if (Boolean.getBoolean(WITH_CLIENT)) {
            return;
        }
        RuntimeFolder runtime = RuntimeFolder.ofThisJar();
        String path = runtime.jar() + ":"
                + runtime.libraries("kafka-clients-", "slf4j-", "lz4-java-", "snappy-java-", "zstd-jni-").stream()
                        .map(Object::toString)
                        .collect(Collectors.joining(":"));
        List<String> command = new ArrayList<>(List.of(
                ServerProcess.java(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-D" + WITH_CLIENT + "=true",
                "-Djava.util.logging.config.file=" + runtime.path().resolve("logging.properties"),
                "-cp",
                path,
                Barnabas.class.getName()));
        command.addAll(Arrays.asList(arguments));
        ProcessReplacement.exec(command);
    }
}
