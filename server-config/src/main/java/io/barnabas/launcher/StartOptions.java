package io.barnabas.launcher;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code run} and {@code start}. */
final class StartOptions {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "A file in the form of Kafka's server.properties.")
    @Nullable
    Path config;

    @Option(
            names = {"-s", "--set"},
            paramLabel = "KEY=VALUE",
            description = "A setting; it wins over the file and the environment. May be repeated.")
    Map<String, String> set = new LinkedHashMap<>();

    @Option(names = "--http-port", paramLabel = "N", description = "Port of the console (8080).")
    @Nullable
    Integer httpPort;

    @Option(
            names = {"-d", "--data"},
            paramLabel = "DIR",
            description = "The data directory (./data).")
    @Nullable
    Path data;

    /** The settings that these options make together with the environment. */
    Settings settings() {
        Map<String, String> given = new LinkedHashMap<>(set);
        if (httpPort != null) {
            given.put(Settings.HTTP_PORT, Integer.toString(httpPort));
        }
        if (data != null) {
            given.put("log.dirs", data.toAbsolutePath().normalize().toString());
        }
        return Settings.read(config, given);
    }
}
