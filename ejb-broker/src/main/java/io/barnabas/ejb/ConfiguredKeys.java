package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigValue;

/**
 * What is configured, by key. MicroProfile Config says in which order the sources win (command line, system properties, environment,
 * file) but cannot say which of all its properties are meant for the broker: these are the known keys, wherever they are set, and
 * whatever stands in a {@link KeySource}, known or not.
 */
final class ConfiguredKeys {
    private ConfiguredKeys() {}

    static Map<String, String> of(Config config) {
        Set<String> keys = new TreeSet<>(BrokerConfig.knownKeys());
        config.getConfigSources().forEach(source -> {
            if (source instanceof KeySource) {
                keys.addAll(source.getPropertyNames());
            }
        });
        Map<String, String> values = new TreeMap<>();
        for (String key : keys) {
            Optional.ofNullable(config.getConfigValue(key))
                    .map(ConfigValue::getRawValue)
                    .ifPresent(value -> values.put(key, value));
        }
        return values;
    }
}
