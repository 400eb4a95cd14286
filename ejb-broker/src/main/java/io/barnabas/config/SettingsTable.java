package io.barnabas.config;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one kind of resource, read once from a table beside this class: there, and nowhere else, stands a key's type, default,
 * allowed values, when it can be changed, whether it has an effect, and what it means. The documentation is made from the same table.
 * Immutable.
 */
public final class SettingsTable {
    /** Keys of brokers. */
    public static final SettingsTable BROKER = load("broker-keys.txt");
    /** Keys of topics. */
    public static final SettingsTable TOPIC = load("topic-keys.txt");
    /** Keys of groups. */
    public static final SettingsTable GROUP = load("group-keys.txt");
    /** Keys of client metrics subscriptions (KIP-714). */
    public static final SettingsTable CLIENT_METRICS = load("client-metrics-keys.txt");

    private static final int COLUMNS = 8;

    private final Map<String, Setting> settings;
    private final Map<String, ConfigDef.ConfigKey> keys;

    private SettingsTable(Map<String, Setting> settings) {
        this.settings = Collections.unmodifiableMap(settings);
        ConfigDef def = new ConfigDef();
        for (Setting s : settings.values()) {
            def.define(
                    s.name(),
                    s.type(),
                    s.defaultValue(),
                    Allowed.validator(s.allowed(), s.type(), s.defaultValue() == null),
                    s.importance(),
                    s.meaning());
        }
        this.keys = def.configKeys();
    }

    static SettingsTable load(String resource) {
        Map<String, Setting> settings = new LinkedHashMap<>();
        try (InputStream in = SettingsTable.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("No table of settings " + resource);
            }
            BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            String section = "";
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith("## ")) {
                    section = line.substring(3).trim();
                } else if (!line.isBlank() && !line.startsWith("#")) {
                    Setting setting = setting(line, section);
                    settings.put(setting.name(), setting);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new SettingsTable(settings);
    }

    private static Setting setting(String line, String section) {
        String[] c = line.split(" \\| ", COLUMNS);
        if (c.length != COLUMNS) {
            throw new IllegalStateException("Not a line of the settings table: " + line);
        }
        ConfigDef.Type type = ConfigDef.Type.valueOf(c[1]);
        return new Setting(
                c[0],
                type,
                defaultValue(c[0], c[2], type),
                c[3].equals("-") ? "" : c[3],
                ConfigDef.Importance.valueOf(c[4].toUpperCase(Locale.ROOT)),
                Setting.Scope.valueOf(c[5].toUpperCase(Locale.ROOT).replace('-', '_')),
                Setting.Effect.valueOf(c[6].toUpperCase(Locale.ROOT)),
                section,
                c[7]);
    }

    private static @Nullable Object defaultValue(String name, String text, ConfigDef.Type type) {
        if (text.equals("null")) {
            return null;
        }
        return ConfigDef.parseType(name, text.equals("\"\"") ? "" : text, type);
    }

    /** All keys, in the table's order. */
    public Collection<Setting> settings() {
        return settings.values();
    }

    /** The key of this name, or null if there is none. */
    public @Nullable Setting setting(String name) {
        return settings.get(name);
    }

    /**
     * The typed value of {@code text}.
     *
     * @return null if {@code text} is null and the key may be without a value
     * @throws ConfigException naming the key, the value and what is allowed
     */
    public @Nullable Object parse(String name, @Nullable String text) {
        ConfigDef.ConfigKey key = keys.get(name);
        if (key == null) {
            throw new ConfigException("Unknown configuration: " + name);
        }
        Object value = ConfigDef.parseType(name, text, key.type);
        if (key.validator != null) {
            key.validator.ensureValid(name, value);
        }
        return value;
    }

    /**
     * The typed values of all keys: those in {@code given}, and the defaults of the others. Unknown keys are passed over.
     *
     * @throws ConfigException one that names every bad value
     */
    public Map<String, @Nullable Object> parse(Map<String, String> given) {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        List<String> faults = new ArrayList<>();
        for (Setting s : settings.values()) {
            String text = given.get(s.name());
            try {
                values.put(s.name(), text == null ? s.defaultValue() : parse(s.name(), text));
            } catch (ConfigException e) {
                faults.add(String.valueOf(e.getMessage()));
            }
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(String.join("; ", faults));
        }
        return values;
    }
}
