package io.barnabas.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker's configuration as it is now: the start's, overridden by what was set at run time for all brokers, overridden by what was
 * set for this one (KIP-226). Whoever needs a value reads it from {@link #current} each time.
 *
 * <p>Thread: {@link #update} is called on the metadata thread, one call at a time; everything else may be called by any thread.
 */
public final class LiveConfig {
    private static final Logger LOG = LoggerFactory.getLogger(LiveConfig.class);
    /** Kafka lets these be at most halved or doubled at once. */
    private static final List<String> THREAD_POOLS = List.of(
            "num.io.threads",
            "num.network.threads",
            "num.replica.fetchers",
            "num.recovery.threads.per.data.dir",
            "background.threads",
            "log.cleaner.threads");

    private final BrokerConfig atStart;
    private volatile State state;

    /** A configuration with nothing set at run time yet. */
    public LiveConfig(BrokerConfig atStart) {
        this.atStart = atStart;
        this.state = new State(atStart, Map.of(), Map.of());
    }

    /**
     * One of the values that a key has somewhere, hidden or not by another.
     *
     * @param name the key, or another name of the same setting
     * @param source where it was set
     */
    public record Origin(String name, String value, ConfigSource source) {}

    private record State(BrokerConfig current, Map<String, String> allBrokers, Map<String, String> thisBroker) {}

    /** The values that hold now. */
    public BrokerConfig current() {
        return state.current();
    }

    /** The values that held at the start. */
    public BrokerConfig atStart() {
        return atStart;
    }

    /** What has been set at run time for all brokers. */
    public Map<String, String> allBrokers() {
        return state.allBrokers();
    }

    /**
     * Takes over what is set at run time. Keys that cannot take effect (of another version, or spoiled by the start's configuration)
     * are logged and passed over.
     *
     * @param allBrokers settings of the broker resource with the empty name
     * @param thisBroker settings of this broker's resource
     */
    public void update(Map<String, String> allBrokers, Map<String, String> thisBroker) {
        Map<String, String> all = effective(allBrokers, false);
        Map<String, String> own = effective(thisBroker, true);
        if (all.equals(state.allBrokers()) && own.equals(state.thisBroker())) {
            return;
        }
        BrokerConfig after;
        try {
            after = combined(all, own);
        } catch (ConfigException | InvalidConfigurationException e) {
            LOG.error(
                    "settings made at run time do not go together and stay without effect; all={} own={}",
                    all.keySet(),
                    own.keySet(),
                    e);
            return;
        }
        state = new State(after, all, own);
    }

    /**
     * Checks what would be set at run time.
     *
     * @param proposed all settings that the resource would have
     * @param perBroker whether the resource is one broker, not all
     * @throws ConfigException naming keys that cannot be set so, or a value that is not allowed
     */
    public void validate(Map<String, String> proposed, boolean perBroker) {
        DynamicRules.validate(proposed, perBroker);
        State now = state;
        BrokerConfig after;
        try {
            after = perBroker ? combined(now.allBrokers(), proposed) : combined(proposed, now.thisBroker());
        } catch (InvalidConfigurationException e) {
            throw new ConfigException(String.valueOf(e.getMessage()));
        }
        for (String pool : THREAD_POOLS) {
            checkPoolSize(pool, now.current().getInt(pool), after.getInt(pool));
        }
    }

    /** Whether a setting made at run time may take effect; one of a former version may not. */
    public static boolean isEffective(String name, String value, boolean perBroker) {
        return DynamicRules.isEffective(name, value, perBroker);
    }

    /** What a key sets: a listener's own key sets, for the listener, what the key that it overrides sets for all. */
    public static @Nullable Setting settingOf(String name) {
        return SettingsTable.BROKER.setting(DynamicRules.baseName(name));
    }

    /** Every value that a key has, the one that holds first; other names of the same setting only after the key itself. */
    public List<Origin> origins(String name) {
        State now = state;
        List<String> names = DynamicRules.synonyms(name, true);
        List<Origin> origins = new ArrayList<>();
        add(origins, names, now.thisBroker(), ConfigSource.DYNAMIC_BROKER_CONFIG);
        add(origins, names, now.allBrokers(), ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
        add(origins, names, atStart.given(), ConfigSource.STATIC_BROKER_CONFIG);
        for (String n : names) {
            Setting setting = SettingsTable.BROKER.setting(n);
            @Nullable
            String text =
                    setting == null || setting.scope() == Setting.Scope.DYNAMIC_ONLY ? null : setting.defaultText();
            if (text != null) {
                origins.add(new Origin(n, text, ConfigSource.DEFAULT_CONFIG));
            }
        }
        while (!origins.isEmpty() && !origins.get(0).name().equals(name)) {
            origins.remove(0);
        }
        return origins;
    }

    private static void add(List<Origin> origins, List<String> names, Map<String, String> values, ConfigSource source) {
        for (String n : names) {
            @Nullable String value = values.get(n);
            if (value != null) {
                origins.add(new Origin(n, value, source));
            }
        }
    }

    private BrokerConfig combined(Map<String, String> allBrokers, Map<String, String> thisBroker) {
        Map<String, String> values = new HashMap<>(atStart.given());
        override(values, allBrokers);
        override(values, thisBroker);
        return BrokerConfig.of(values);
    }

    /** A setting made nearer to the broker hides the one made further off, under whichever of its names. */
    private static void override(Map<String, String> values, Map<String, String> nearer) {
        nearer.forEach((name, value) -> {
            DynamicRules.synonyms(name, false).forEach(values::remove);
            values.put(name, value);
        });
    }

    private static Map<String, String> effective(Map<String, String> stored, boolean perBroker) {
        Map<String, String> effective = new HashMap<>();
        stored.forEach((name, value) -> {
            if (DynamicRules.isEffective(name, value, perBroker)) {
                effective.put(name, value);
            } else {
                LOG.error("a setting made at run time stays without effect; key={} perBroker={}", name, perBroker);
            }
        });
        return Map.copyOf(effective);
    }

    private static void checkPoolSize(String name, int before, int after) {
        if (after == before) {
            return;
        }
        String what = "Dynamic thread count update validation failed for " + name + "=" + after + ": ";
        if (after <= 0) {
            throw new ConfigException(what + "value should be at least 1");
        }
        if (after < before / 2) {
            throw new ConfigException(what + "value should be at least half the current value " + before);
        }
        if (after > before * 2) {
            throw new ConfigException(what + "value should not be greater than double the current value " + before);
        }
    }
}
