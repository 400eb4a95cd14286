package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.nio.file.Files;
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

    /**
     * The settings that these options make together with the environment.
     *
     * @throws Refusal if two options contradict each other
     */
    Settings settings() {
        Map<String, String> given = new LinkedHashMap<>(set);
        if (httpPort != null) {
            say(Integer.toString(httpPort), "--http-port", Settings.HTTP_PORT, given);
        }
        if (data != null) {
            String directory = data.toAbsolutePath().normalize().toString();
            say(directory, "--data", Settings.LOG_DIRS, given);
            say(directory, "--data", "log.dir", given);
        }
        return Settings.read(config, given);
    }

    /** The same may be said twice, but not two things. */
    private static void say(String value, String option, String key, Map<String, String> given) {
        String set = given.put(key, value);
        if (set != null && !set.equals(value)) {
            throw new Refusal(option + " and --set " + key + "=" + set + " contradict each other: give one of them");
        }
    }

    /** Checks what can be checked beforehand, says what goes on, and gets the server ready to start. */
    ServerProcess prepare(Settings settings) {
        Preflight.check(settings).forEach(warning -> System.err.println("barnabas: " + warning));
        System.out.println("Barnabas " + Version.ofJar() + " starts. Data: " + settings.dataDirectory());
        RuntimeFolder runtime = RuntimeFolder.ofThisJar();
        if (!Files.exists(runtime.classArchive())) {
            System.out.println("Starts get faster after, once: java -jar " + runtime.jar() + " prepare");
        }
        return ServerProcess.of(settings, runtime);
    }
}
