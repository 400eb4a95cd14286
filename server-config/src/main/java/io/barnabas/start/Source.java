package io.barnabas.start;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One place that settings come from. Immutable, as far as what it looks at is.
 *
 * @param name as an operator would call it
 * @param values the value of a key, or null
 * @param keys what it holds for the broker, known or not; empty for a source that holds much else too
 */
record Source(String name, UnaryOperator<@Nullable String> values, Set<String> keys) {
    /** Everything in it is meant for the broker. */
    static Source of(String name, Map<String, String> values) {
        return new Source(name, values::get, Set.copyOf(values.keySet()));
    }

    static Source ofSystemProperties() {
        return new Source("system property", System::getProperty, Set.of());
    }

    /** Names are looked for as MicroProfile Config does: as they are, with underscores, and in capitals too. */
    static Source ofEnvironment(Map<String, String> environment) {
        return new Source(
                "environment",
                key -> {
                    String underscored = key.replaceAll("[^a-zA-Z0-9]", "_");
                    String value = environment.get(key);
                    if (value == null) {
                        value = environment.get(underscored);
                    }
                    return value == null ? environment.get(underscored.toUpperCase(Locale.ROOT)) : value;
                },
                Set.of());
    }

    @Nullable
    String get(String key) {
        return values.apply(key);
    }
}
