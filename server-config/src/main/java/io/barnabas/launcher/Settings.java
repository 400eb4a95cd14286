package io.barnabas.launcher;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The configuration as far as the launcher must know it: which directories, which ports. The broker reads all of it, by
 * MicroProfile Config, in the same order: {@code --set}, system properties, environment ({@code LOG_DIRS}), file.
 *
 * @param file the file that was named, or null
 * @param set what was given on the command line
 * @param values the file's values
 */
record Settings(@Nullable Path file, Map<String, String> set, Properties values) {
    static final String HTTP_PORT = "barnabas.http.port";
    static final String HTTP_HOST = "barnabas.http.host";
    private static final Pattern LISTENER = Pattern.compile("\\s*(\\w[\\w-]*)://\\[?([^\\]/]*?)\\]?:(\\d{1,5})\\s*");

    static Settings read(@Nullable Path file, Map<String, String> set) {
        Properties values = new Properties();
        if (file != null) {
            if (!Files.isRegularFile(file)) {
                throw new Refusal("no configuration file " + file.toAbsolutePath());
            }
            try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                values.load(in);
            } catch (IOException | IllegalArgumentException e) {
                throw new Refusal("the configuration file " + file.toAbsolutePath() + " cannot be read: " + e);
            }
        }
        return new Settings(file == null ? null : file.toAbsolutePath().normalize(), set, values);
    }

    /** The value of a key, or null. */
    @Nullable
    String get(String key) {
        String value = set.get(key);
        if (value == null) {
            value = System.getProperty(key);
        }
        if (value == null) {
            value = System.getenv(key.replaceAll("[^a-zA-Z0-9]", "_").toUpperCase(Locale.ROOT));
        }
        if (value == null) {
            value = values.getProperty(key);
        }
        return value == null || value.isBlank() ? null : value.trim();
    }

    private String get(String key, String otherwise) {
        String value = get(key);
        return value == null ? otherwise : value;
    }

    /** The data directories, absolute; the first holds what belongs to the process. */
    List<Path> dataDirectories() {
        String dirs = get("log.dirs", get("log.dir", "data"));
        List<Path> paths = new ArrayList<>();
        for (String dir : dirs.split(",", -1)) {
            if (!dir.isBlank()) {
                paths.add(Path.of(dir.trim()).toAbsolutePath().normalize());
            }
        }
        if (paths.isEmpty()) {
            throw new Refusal("log.dirs names no directory: " + dirs);
        }
        return paths;
    }

    Path dataDirectory() {
        return dataDirectories().get(0);
    }

    String httpHost() {
        return get(HTTP_HOST, "127.0.0.1");
    }

    int httpPort() {
        String port = get(HTTP_PORT, "8080");
        try {
            int number = Integer.parseInt(port);
            if (number >= 1 && number <= 65535) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new Refusal("Invalid value " + port + " for configuration " + HTTP_PORT + ": a port from 1 to 65535");
    }

    /** Where the broker will listen, as far as it can be read: a value that is not allowed is the broker's to refuse. */
    List<Listener> listeners() {
        String controllers = "," + get("controller.listener.names", "").replace(" ", "") + ",";
        List<Listener> listeners = new ArrayList<>();
        for (String listener : get("listeners", "PLAINTEXT://127.0.0.1:9092").split(",")) {
            Matcher parts = LISTENER.matcher(listener);
            if (parts.matches() && !controllers.contains("," + parts.group(1) + ",")) {
                listeners.add(new Listener("listeners", parts.group(2), Integer.parseInt(parts.group(3))));
            }
        }
        return listeners;
    }

    /**
     * A socket to be opened.
     *
     * @param key the key that names it
     * @param host empty means every address
     */
    record Listener(String key, String host, int port) {}
}
