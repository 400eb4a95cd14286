package io.barnabas.config;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.SslConfigs;

/** Which broker keys can be changed at run time and for whom, and which keys are names of one setting; as Kafka has it (KIP-226). */
final class DynamicRules {
    private static final Pattern LISTENER_KEY = Pattern.compile("listener\\.name\\.[^.]*\\.(.*)");
    private static final List<List<String>> SYNONYMS = List.of(
            List.of("log.roll.ms", "log.roll.hours"),
            List.of("log.roll.jitter.ms", "log.roll.jitter.hours"),
            List.of("log.retention.ms", "log.retention.minutes", "log.retention.hours"));
    private static final List<String> FLUSH_SYNONYMS =
            List.of("log.flush.interval.ms", "log.flush.scheduler.interval.ms");
    /** Keys given as listener.name.NAME.MECHANISM.KEY. */
    private static final List<String> MECHANISM_KEYS = List.of(
            "sasl.jaas.config",
            "sasl.login.callback.handler.class",
            "sasl.login.class",
            "sasl.server.callback.handler.class",
            "connections.max.reauth.ms");

    private static final Set<String> CLUSTER_LEVEL_LISTENER_KEYS =
            Set.of("max.connections", "max.connection.creation.rate", "num.network.threads");

    private DynamicRules() {}

    /** The key that a listener's own key overrides; any other key itself. */
    static String baseName(String name) {
        Matcher m = LISTENER_KEY.matcher(name);
        if (!m.matches()) {
            return name;
        }
        String base = m.group(1);
        return MECHANISM_KEYS.stream().filter(base::endsWith).findFirst().orElse(base);
    }

    /**
     * The names of one setting, the one that wins first.
     *
     * @param withBase whether a listener's own key brings along the key it overrides
     */
    static List<String> synonyms(String name, boolean withBase) {
        if (name.equals("log.flush.interval.ms")) {
            return FLUSH_SYNONYMS;
        }
        for (List<String> synonyms : SYNONYMS) {
            if (synonyms.contains(name)) {
                return synonyms;
            }
        }
        String base = withBase ? baseName(name) : name;
        return base.equals(name) ? List.of(name) : List.of(name, base);
    }

    /**
     * Checks what would be set at run time.
     *
     * @param perBroker whether it is for one broker, not for all
     * @throws ConfigException naming the keys that cannot be set so, or the value that is not allowed
     */
    static void validate(Map<String, String> proposed, boolean perBroker) {
        refuse(proposed, DynamicRules::isReadOnly, "Cannot update these configs dynamically");
        refuse(
                proposed,
                SslConfigs.RECONFIGURABLE_CONFIGS::contains,
                "These security configs can be dynamically updated only per-listener using the listener prefix");
        Map<String, String> base = new HashMap<>();
        proposed.forEach((name, value) -> base.put(baseName(name), value));
        base.forEach((name, value) -> {
            Setting setting = SettingsTable.BROKER.setting(name);
            if (setting != null && setting.isDynamic()) {
                SettingsTable.BROKER.parse(name, value);
            }
        });
        if (!perBroker) {
            refuse(
                    proposed,
                    DynamicRules::isPerBroker,
                    "Cannot update these configs at default cluster level, broker id must be specified");
        }
    }

    /** Whether a stored key may take effect; a key of a former version may not. */
    static boolean isEffective(String name, String value, boolean perBroker) {
        try {
            validate(Map.of(name, value), perBroker);
            return true;
        } catch (ConfigException e) {
            return false;
        }
    }

    private static boolean isReadOnly(String name) {
        Setting setting = SettingsTable.BROKER.setting(name);
        return setting != null && !setting.isDynamic();
    }

    private static boolean isPerBroker(String name) {
        Setting setting = SettingsTable.BROKER.setting(name);
        if (setting != null) {
            return setting.scope() == Setting.Scope.PER_BROKER;
        }
        Matcher m = LISTENER_KEY.matcher(name);
        return m.matches() && !CLUSTER_LEVEL_LISTENER_KEYS.contains(m.group(1));
    }

    private static void refuse(Map<String, String> proposed, Predicate<String> bad, String message) {
        Set<String> names = new TreeSet<>(proposed.keySet());
        names.removeIf(bad.negate());
        if (!names.isEmpty()) {
            throw new ConfigException(message + ": " + names);
        }
    }
}
