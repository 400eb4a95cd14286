package io.barnabas.config;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/** The rules of client metrics subscriptions (KIP-714). Pure functions. */
public final class ClientMetricsSettings {
    private static final int INTERVAL_MS_MIN = 100;
    private static final int INTERVAL_MS_MAX = 3_600_000;
    private static final Set<String> MATCHES = Set.of(
            "client_id",
            "client_instance_id",
            "client_software_name",
            "client_software_version",
            "client_source_address",
            "client_source_port");

    private ClientMetricsSettings() {}

    /**
     * Checks a subscription's settings.
     *
     * @throws InvalidRequestException no name, an unknown key, or an interval out of bounds
     * @throws InvalidConfigurationException a match that is not one
     * @throws org.apache.kafka.common.config.ConfigException a value that is not allowed
     */
    public static void validate(String subscription, Map<String, String> proposed) {
        if (subscription.isEmpty()) {
            throw new InvalidRequestException("Subscription name can't be empty");
        }
        for (String name : proposed.keySet()) {
            if (SettingsTable.CLIENT_METRICS.setting(name) == null) {
                throw new InvalidRequestException("Unknown client metrics configuration: " + name);
            }
        }
        proposed.forEach(ClientMetricsSettings::checkValue);
    }

    private static void checkValue(String name, String text) {
        @Nullable Object value = SettingsTable.CLIENT_METRICS.parse(name, text);
        if (value instanceof Integer interval && (interval < INTERVAL_MS_MIN || interval > INTERVAL_MS_MAX)) {
            throw new InvalidRequestException("Invalid value " + interval
                    + " for interval.ms, interval must be between 100 and 3600000 (1 hour)");
        }
        if (name.equals("match") && value instanceof List<?> matches) {
            matches.forEach(m -> checkMatch(m.toString()));
        }
    }

    private static void checkMatch(String match) {
        String[] pair = match.split("=", -1);
        if (pair.length != 2 || !MATCHES.contains(pair[0].trim())) {
            throw new InvalidConfigurationException("Illegal client matching pattern: " + match);
        }
        try {
            Pattern.compile(pair[1].trim());
        } catch (PatternSyntaxException e) {
            throw new InvalidConfigurationException("Illegal client matching pattern: " + match);
        }
    }
}
