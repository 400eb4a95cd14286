package io.barnabas.start;

import java.io.IOException;
import java.io.Reader;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a start, before there is a container: which directories, which ports, and all values for the early check.
 * The broker reads the same by MicroProfile Config, in the same order: {@code --set}, system properties, environment
 * ({@code LOG_DIRS}), file. Immutable.
 */
public final class Settings {
    /** The console's port. */
    public static final String HTTP_PORT = "barnabas.http.port";

    /** The console's address. */
    public static final String HTTP_HOST = "barnabas.http.host";

    /** The data directories, separated by commas. */
    public static final String LOG_DIRS = "log.dirs";

    /** Where the broker listens. */
    public static final String LISTENERS = "listeners";

    /** The quorum of controllers: id@host:port, separated by commas. */
    public static final String VOTERS = "controller.quorum.voters";

    /** How the members of the data grid find each other; without it there is none. */
    public static final String DISCOVERY = "barnabas.cluster.discovery";

    /** Where this member of the data grid listens: host:port. */
    public static final String GRID_ADDRESS = "barnabas.cluster.address";

    private static final String FILE_PROPERTY = "barnabas.config";
    private static final String SET_PROPERTY = "barnabas.set";
    private static final int PORT_MAX = 65535;
    private static final Pattern LISTENER = Pattern.compile("\\s*(\\w[\\w-]*)://\\[?([^\\]/]*?)\\]?:(\\d{1,5})\\s*");

    private static final Pattern VOTER = Pattern.compile("\\s*(\\d+)@\\[?([^\\]@]+?)\\]?:(\\d{1,5})\\s*");

    private static final Pattern ADDRESS = Pattern.compile("\\[?([^\\]@]+?)\\]?:(\\d{1,5})");

    private final @Nullable Path file;
    private final Map<String, String> set;
    private final List<Source> sources;

    private Settings(@Nullable Path file, Map<String, String> set, List<Source> sources) {
        this.file = file;
        this.set = set;
        this.sources = sources;
    }

    /**
     * Reads a configuration.
     *
     * @param file in the form of Kafka's {@code server.properties}, or null
     * @param set what was given on the command line
     * @throws Refusal if the file cannot be read, or a setting cannot be handed on
     */
    public static Settings read(@Nullable Path file, Map<String, String> set) {
        return read(file, set, System.getenv());
    }

    static Settings read(@Nullable Path file, Map<String, String> set, Map<String, String> environment) {
        set.forEach(Settings::checkHandedOn);
        @Nullable Path absolute = file == null ? null : file.toAbsolutePath().normalize();
        List<Source> sources = new ArrayList<>();
        sources.add(Source.of("command line", set));
        sources.add(Source.ofSystemProperties());
        sources.add(Source.ofEnvironment(environment));
        if (absolute != null) {
            sources.add(Source.of(absolute.toString(), load(absolute)));
        }
        return new Settings(absolute, Map.copyOf(set), List.copyOf(sources));
    }

    /** What the launcher told this process by {@link #asSystemProperties}. */
    public static Settings ofSystemProperties() {
        @Nullable String file = System.getProperty(FILE_PROPERTY);
        Map<String, String> set = new LinkedHashMap<>();
        System.getProperty(SET_PROPERTY, "").lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                set.put(line.substring(0, equals), line.substring(equals + 1));
            }
        });
        return read(file == null ? null : Path.of(file), set);
    }

    /** For the server's process: the file's name and the command line's settings. */
    public Map<String, String> asSystemProperties() {
        Map<String, String> properties = new LinkedHashMap<>();
        if (file != null) {
            properties.put(FILE_PROPERTY, file.toString());
        }
        List<String> lines = new ArrayList<>();
        new TreeMap<>(set).forEach((key, value) -> lines.add(key + "=" + value));
        properties.put(SET_PROPERTY, String.join("\n", lines));
        return properties;
    }

    private static void checkHandedOn(String key, String value) {
        if (key.isBlank()) {
            throw new Refusal("--set " + key + "=" + value + " names no key: --set KEY=VALUE");
        }
        if ((key + value).lines().count() > 1) {
            throw new Refusal("the value of --set " + key + " has more than one line");
        }
    }

    private static Map<String, String> load(Path file) {
        if (Files.isDirectory(file)) {
            throw new Refusal("the configuration file " + file + " is a directory: --config names a file");
        }
        if (!Files.exists(file)) {
            throw new Refusal("there is no configuration file " + file);
        }
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(in);
        } catch (CharacterCodingException e) {
            throw new Refusal("the configuration file " + file + " is not text in UTF-8");
        } catch (AccessDeniedException e) {
            throw new Refusal("the configuration file " + file + " may not be read by this user");
        } catch (IOException | IllegalArgumentException e) {
            throw new Refusal("the configuration file " + file + " cannot be read: " + e.getMessage());
        }
        Map<String, String> values = new TreeMap<>();
        properties.stringPropertyNames().forEach(key -> values.put(key, properties.getProperty(key)));
        return values;
    }

    /** The value of a key, or null. */
    @Nullable
    public String get(String key) {
        for (Source source : sources) {
            @Nullable String value = source.get(key);
            if (value != null) {
                return value.isBlank() ? null : value.trim();
            }
        }
        return null;
    }

    private String get(String key, String otherwise) {
        @Nullable String value = get(key);
        return value == null ? otherwise : value;
    }

    /** Where the value of a key stands: "command line", "system property", "environment" or the file; empty if nowhere. */
    public Optional<String> whereSet(String key) {
        return sources.stream()
                .filter(source -> source.get(key) != null)
                .map(Source::name)
                .findFirst();
    }

    /**
     * All that is configured for the broker.
     *
     * @param known keys to look for everywhere; what stands in the file or on the command line is there whether known or not
     */
    public Map<String, String> all(Set<String> known) {
        Set<String> keys = new TreeSet<>(known);
        sources.forEach(source -> keys.addAll(source.keys()));
        Map<String, String> all = new TreeMap<>();
        for (String key : keys) {
            @Nullable String value = get(key);
            if (value != null) {
                all.put(key, value);
            }
        }
        return all;
    }

    /** The data directories, absolute; the first holds what belongs to the process. */
    public List<Path> dataDirectories() {
        String dirs = get(LOG_DIRS, get("log.dir", "data"));
        List<Path> paths = new ArrayList<>();
        for (String dir : dirs.split(",", -1)) {
            if (!dir.isBlank()) {
                paths.add(absolute(dir.trim()));
            }
        }
        if (paths.isEmpty()) {
            throw new Refusal("log.dirs names no directory: " + dirs);
        }
        return paths;
    }

    private static Path absolute(String dir) {
        try {
            return Path.of(dir).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw new Refusal("log.dirs names " + dir + ", which cannot be a directory: " + e.getReason());
        }
    }

    /** The first of {@link #dataDirectories}. */
    public Path dataDirectory() {
        return dataDirectories().get(0);
    }

    /** Where the console listens. */
    public Listener http() {
        return new Listener(HTTP_PORT, get(HTTP_HOST, "127.0.0.1"), httpPort());
    }

    private int httpPort() {
        String port = get(HTTP_PORT, "8080");
        try {
            int number = Integer.parseInt(port);
            if (number >= 1 && number <= PORT_MAX) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new Refusal(
                "Invalid value " + port + " for configuration " + HTTP_PORT + ": must be a port from 1 to " + PORT_MAX);
    }

    /** Where the broker will listen, as far as it can be read: a value that is not allowed is the broker's to refuse. */
    public List<Listener> listeners() {
        String controllers = "," + get("controller.listener.names", "").replace(" ", "") + ",";
        List<Listener> listeners = new ArrayList<>();
        for (String listener : get(LISTENERS, "PLAINTEXT://127.0.0.1:9092").split(",")) {
            Matcher parts = LISTENER.matcher(listener);
            if (parts.matches() && !upper(controllers).contains("," + upper(parts.group(1)) + ",")) {
                int port = Integer.parseInt(parts.group(3));
                if (port <= PORT_MAX) {
                    listeners.add(new Listener(LISTENERS, parts.group(2), port));
                }
            }
        }
        return listeners;
    }

    /** Where this node will listen for the others of the quorum, as far as it can be read; empty if it is alone or has no vote. */
    public Optional<Listener> voter() {
        String id = get("node.id", get("broker.id", "1"));
        String[] voters = get(VOTERS, "").split(",");
        return Stream.of(voters)
                .map(VOTER::matcher)
                .filter(parts -> parts.matches() && parts.group(1).equals(id))
                .map(parts -> new Listener(VOTERS, parts.group(2), Integer.parseInt(parts.group(3))))
                .filter(listener -> listener.port() <= PORT_MAX)
                .findFirst();
    }

    /** Where this node will listen for the others of the data grid, as far as it can be read; empty if there is none. */
    public Optional<Listener> grid() {
        String address = get(GRID_ADDRESS, "127.0.0.1:6900");
        Matcher parts = ADDRESS.matcher(address);
        return get(DISCOVERY) == null || !parts.matches()
                ? Optional.empty()
                : Optional.of(new Listener(GRID_ADDRESS, parts.group(1), Integer.parseInt(parts.group(2))))
                        .filter(listener -> listener.port() <= PORT_MAX);
    }

    /** All sockets that will be opened, as far as they can be read. */
    public List<Listener> sockets() {
        List<Listener> sockets = new ArrayList<>(listeners());
        sockets.add(http());
        voter().ifPresent(sockets::add);
        grid().ifPresent(sockets::add);
        return sockets;
    }

    /** Whether a socket is to be opened that IPv4 alone cannot open. */
    public boolean needsIpv6() {
        return sockets().stream().anyMatch(Listener::needsIpv6);
    }

    private static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    /**
     * A socket to be opened.
     *
     * @param key the key that names it
     * @param host empty means every address
     * @param port 0 lets the system choose
     */
    public record Listener(String key, String host, int port) {
        /** An empty host is every address, those of IPv6 too; what a name stands for is asked of the system. */
        boolean needsIpv6() {
            try {
                return host.isEmpty() || InetAddress.getByName(host) instanceof Inet6Address;
            } catch (UnknownHostException e) {
                return false; // it will be refused
            }
        }

        @Override
        public String toString() {
            return (host.isEmpty() ? "*" : host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }
}
