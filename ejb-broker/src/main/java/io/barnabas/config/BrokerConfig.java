package io.barnabas.config;

import io.barnabas.log.LogManagerSettings;
import io.barnabas.port.ListenerSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.jspecify.annotations.Nullable;

/**
 * The values of all broker keys at one moment: what was given, and the defaults of the rest. Made once from the start's
 * configuration, which fails the start if it is wrong, and again by {@link LiveConfig} at each change. Immutable.
 *
 * <p>A getter of a key that is not in the table, or is of another type, is a programming error and throws.
 */
public final class BrokerConfig {
    private static final String ROLES = "process.roles";
    private static final String VOTERS = "controller.quorum.voters";

    private final Map<String, String> given;
    private final Map<String, @Nullable Object> values;
    private final Listeners listeners;
    private final List<QuorumVoter> quorumVoters;
    private final @Nullable GridSettings grid;

    private BrokerConfig(Map<String, String> given) {
        this.given = Collections.unmodifiableMap(new TreeMap<>(given));
        this.values = SettingsTable.BROKER.parse(given);
        BrokerConfigChecks.check(this);
        this.grid = GridSettings.of(this);
        this.listeners = Listeners.of(this);
        this.quorumVoters = QuorumVoter.of(this);
        if (isWitness() && quorumVoters.stream().noneMatch(voter -> voter.nodeId() == nodeId() && !isAlone())) {
            throw new ConfigException(
                    ROLES, "controller", "A node that only votes must be one of several in controller.quorum.voters");
        }
    }

    /**
     * Reads a configuration.
     *
     * @param given values by key, as in Kafka's {@code server.properties}
     * @throws ConfigException if a value is not allowed; the message names key, value and what is allowed
     */
    public static BrokerConfig of(Map<String, String> given) {
        Map<String, String> complete = new HashMap<>(given);
        String id = complete.get("node.id") == null ? complete.get("broker.id") : complete.get("node.id");
        if (id != null) {
            complete.putIfAbsent("node.id", id);
            complete.putIfAbsent("broker.id", id);
        }
        return new BrokerConfig(complete);
    }

    /** Everything at its default. */
    public static BrokerConfig defaults() {
        return of(Map.of());
    }

    /** The names of all keys, for a source that cannot list what it holds. */
    public static Set<String> knownKeys() {
        return SettingsTable.BROKER.settings().stream().map(Setting::name).collect(Collectors.toUnmodifiableSet());
    }

    /** What an operator should hear about the configuration that was given: unknown keys and keys without an effect. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        for (String name : given.keySet()) {
            Setting setting = LiveConfig.settingOf(name);
            if (setting == null) {
                warnings.add("Unknown configuration " + name
                        + NearestName.of(name, knownKeys())
                                .map(n -> ": did you mean " + n + "?")
                                .orElse("; it is passed over"));
            } else if (setting.effect() == Setting.Effect.KRAFT && !(isWitness() && name.equals(ROLES))) {
                warnings.add("Configuration " + name + " concerns Kafka's own quorum and has no effect");
            } else if (setting.effect() == Setting.Effect.NO) {
                warnings.add("Configuration " + name + " has no effect yet");
            }
        }
        return warnings;
    }

    /** What was given, with the older and the newer name of the node's id both filled in. */
    public Map<String, String> given() {
        return given;
    }

    /** The typed values of all keys, in the table's order. */
    public Map<String, @Nullable Object> values() {
        return Collections.unmodifiableMap(values);
    }

    /** {@code node.id}. */
    public int nodeId() {
        return getInt("node.id");
    }

    /** Whether this node only votes on metadata and is no broker: {@code process.roles} is controller alone. */
    public boolean isWitness() {
        return getList(ROLES).equals(List.of("controller"));
    }

    /** Whether {@code controller.quorum.voters} names no other node than this one, and there is no data grid to ask for others. */
    public boolean isAlone() {
        return !seeksVoters() && getList(VOTERS).stream().allMatch(voter -> voter.startsWith(nodeId() + "@"));
    }

    /** The listeners to open and to tell of. */
    public Listeners listeners() {
        return listeners;
    }

    /** {@code controller.quorum.voters}: empty if this node is alone. */
    public List<QuorumVoter> quorumVoters() {
        return quorumVoters;
    }

    /** Whether this node asks the data grid who votes on metadata: it is not told, and has no vote itself. */
    public boolean seeksVoters() {
        return grid != null && getList(VOTERS).isEmpty();
    }

    /** Whether this node is one of a cluster of several that it cannot order metadata without. */
    public boolean isOneOfSeveral() {
        return !quorumVoters.isEmpty() || seeksVoters();
    }

    /** The data grid, or null if there is none. */
    public @Nullable GridSettings grid() {
        return grid;
    }

    /** What the server starts the data grid with, as system properties; empty if there is none. */
    public Map<String, String> gridProperties() {
        GridSettings settings = grid;
        return settings == null ? Map.of() : settings.properties(this);
    }

    /** Where this node is sent the metadata log, if it is not alone. */
    public QuorumVoter quorumSelf() {
        return QuorumVoter.self(this, listeners);
    }

    /** {@code log.dirs}, or {@code log.dir} if that is not set. */
    public List<Path> logDirs() {
        @Nullable List<String> dirs = getListOrNull("log.dirs");
        return (dirs == null ? getList("log.dir") : dirs).stream().map(Path::of).toList();
    }

    /** {@code cordoned.log.dirs}, where {@code *} is all of them. */
    private Set<Path> cordonedDirs() {
        List<String> cordoned = getList("cordoned.log.dirs");
        return cordoned.contains("*")
                ? Set.copyOf(logDirs())
                : cordoned.stream().map(Path::of).collect(Collectors.toSet());
    }

    /** {@code broker.rack}, or null. */
    public @Nullable String rack() {
        return getStringOrNull("broker.rack");
    }

    /** The file with the cluster's key, {@code barnabas.cluster.key}; null if nodes talk in the clear. */
    public @Nullable Path clusterKey() {
        @Nullable String file = getStringOrNull("barnabas.cluster.key");
        return file == null || file.isBlank() ? null : Path.of(file);
    }

    /** The settings of the sockets. */
    public ListenerSettings listenerSettings() {
        long idleMs = getLong("connections.max.idle.ms");
        return new ListenerSettings(
                listeners.bound().stream()
                        .map(e -> new ListenerSettings.Listener(
                                e.name(), e.host(), e.port(), e.protocol() == SecurityProtocol.SSL))
                        .toList(),
                getInt("num.network.threads"),
                getInt("socket.request.max.bytes"),
                idleMs < 0 ? -1 : idleMs,
                getInt("max.connections"),
                getInt("max.connections.per.ip"),
                getInt("socket.send.buffer.bytes"),
                getInt("socket.receive.buffer.bytes"),
                getInt("socket.listen.backlog.size"),
                getInt("barnabas.max.in.flight.requests"),
                getLong("queued.max.request.bytes"));
    }

    /** The settings of the log manager. */
    public LogManagerSettings logManagerSettings(String clusterId) {
        return new LogManagerSettings(
                logDirs(),
                cordonedDirs(),
                nodeId(),
                clusterId,
                TopicSettings.logConfig(this, Map.of()),
                getLong("log.retention.check.interval.ms"),
                getBoolean("log.cleaner.enable"),
                getInt("log.cleaner.threads"),
                getLong("log.cleaner.backoff.ms"),
                getLong("log.cleaner.dedupe.buffer.size"),
                getDouble("log.cleaner.io.max.bytes.per.second"),
                getInt("producer.id.expiration.ms"),
                getInt("producer.id.expiration.check.interval.ms"),
                getInt("num.recovery.threads.per.data.dir"),
                getInt("log.flush.offset.checkpoint.interval.ms"),
                getLong("log.initial.task.delay.ms"),
                getLong("barnabas.log.check.max.bytes.per.second"));
    }

    public int getInt(String name) {
        return (Integer) value(name);
    }

    public short getShort(String name) {
        return (Short) value(name);
    }

    public long getLong(String name) {
        return (Long) value(name);
    }

    public double getDouble(String name) {
        return (Double) value(name);
    }

    public boolean getBoolean(String name) {
        return (Boolean) value(name);
    }

    public String getString(String name) {
        return (String) value(name);
    }

    public @Nullable String getStringOrNull(String name) {
        return (String) valueOrNull(name);
    }

    /** A list's values. */
    public List<String> getList(String name) {
        return asList(value(name));
    }

    /** A list's values, or null if the key has none. */
    public @Nullable List<String> getListOrNull(String name) {
        @Nullable Object value = valueOrNull(name);
        return value == null ? null : asList(value);
    }

    /** The class that a key names, or null. */
    public @Nullable Class<?> getClassOrNull(String name) {
        return (Class<?>) valueOrNull(name);
    }

    private Object value(String name) {
        @Nullable Object value = valueOrNull(name);
        if (value == null) {
            throw new ConfigException("Configuration " + name + " has no value");
        }
        return value;
    }

    @Nullable
    Object valueOrNull(String name) {
        if (!values.containsKey(name)) {
            throw new IllegalArgumentException("No such configuration: " + name);
        }
        return values.get(name);
    }

    private static List<String> asList(Object value) {
        return ((List<?>) value).stream().map(Object::toString).toList();
    }
}
