package io.barnabas.ejb;

import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.jspecify.annotations.Nullable;

/** A source of MicroProfile Config that holds the broker's keys and nothing else. Immutable. */
final class KeySource implements ConfigSource {
    private final String name;
    private final int ordinal;
    private final Map<String, String> values;

    KeySource(String name, int ordinal, Map<String, String> values) {
        this.name = name;
        this.ordinal = ordinal;
        this.values = Map.copyOf(values);
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public int getOrdinal() {
        return ordinal;
    }

    @Override
    public Set<String> getPropertyNames() {
        return values.keySet();
    }

    @Override
    public Map<String, String> getProperties() {
        return values;
    }

    @Override
    public @Nullable String getValue(String key) {
        return values.get(key);
    }
}
