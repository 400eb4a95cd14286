package io.barnabas.config;

import static java.util.Map.entry;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.jspecify.annotations.Nullable;

/** The rules of group keys: which broker keys they fall back to and are bounded by. Pure functions. */
public final class GroupSettings {
    private static final Map<String, String> SYNONYMS = Map.ofEntries(
            prefixed("consumer.session.timeout.ms"),
            prefixed("consumer.heartbeat.interval.ms"),
            prefixed("consumer.assignment.interval.ms"),
            prefixed("consumer.assignor.offload.enable"),
            prefixed("share.session.timeout.ms"),
            prefixed("share.heartbeat.interval.ms"),
            prefixed("share.record.lock.duration.ms"),
            prefixed("share.delivery.count.limit"),
            prefixed("share.partition.max.record.locks"),
            prefixed("share.assignment.interval.ms"),
            prefixed("share.assignor.offload.enable"),
            prefixed("streams.session.timeout.ms"),
            prefixed("streams.heartbeat.interval.ms"),
            prefixed("streams.num.standby.replicas"),
            prefixed("streams.initial.rebalance.delay.ms"),
            prefixed("streams.assignment.interval.ms"),
            prefixed("streams.assignor.offload.enable"),
            prefixed("streams.task.offset.interval.ms"),
            prefixed("streams.num.warmup.replicas"),
            prefixed("streams.rack.aware.assignment.tags"),
            prefixed("streams.acceptable.recovery.lag"),
            entry("streams.assignor.name", "group.streams.assignors"));

    /** Keys that a broker bounds by the keys with min. and max. in their names. */
    private static final List<String> BOUNDED = List.of(
            "consumer.heartbeat.interval.ms",
            "consumer.session.timeout.ms",
            "consumer.assignment.interval.ms",
            "share.heartbeat.interval.ms",
            "share.session.timeout.ms",
            "share.record.lock.duration.ms",
            "share.delivery.count.limit",
            "share.partition.max.record.locks",
            "share.assignment.interval.ms",
            "streams.heartbeat.interval.ms",
            "streams.session.timeout.ms",
            "streams.assignment.interval.ms");

    private GroupSettings() {}

    /** The broker key that stands in for a group key, if there is one. */
    public static Optional<String> synonym(String groupKey) {
        return Optional.ofNullable(SYNONYMS.get(groupKey));
    }

    /** The value of a group key for a group that does not set it. */
    public static @Nullable Object brokerDefault(BrokerConfig broker, Setting groupKey) {
        if (groupKey.name().equals("streams.assignor.name")) {
            return broker.getList("group.streams.assignors").get(0);
        }
        @Nullable String synonym = SYNONYMS.get(groupKey.name());
        return synonym == null ? groupKey.defaultValue() : broker.valueOrNull(synonym);
    }

    /**
     * What holds for a group of a bounded key: its own value, brought within the broker's bounds should those have changed since, or the
     * broker's.
     *
     * @param set what the group sets
     */
    public static int effectiveInt(Map<String, String> set, String name, BrokerConfig broker) {
        @Nullable String text = set.get(name);
        @Nullable Object value = text == null ? null : SettingsTable.GROUP.parse(name, text);
        if (!(value instanceof Integer own)) {
            return broker.getInt("group." + name);
        }
        int dot = name.indexOf('.');
        String kind = "group." + name.substring(0, dot);
        int min = broker.getInt(kind + ".min" + name.substring(dot));
        int max = broker.getInt(kind + ".max" + name.substring(dot));
        return Math.max(min, Math.min(max, own));
    }

    /**
     * Checks a group's settings.
     *
     * @throws InvalidConfigurationException unknown key, or a value outside what the broker allows
     * @throws org.apache.kafka.common.config.ConfigException a value that is not allowed at all
     */
    public static void validate(Map<String, String> proposed, BrokerConfig broker) {
        for (String name : proposed.keySet()) {
            if (SettingsTable.GROUP.setting(name) == null) {
                throw new InvalidConfigurationException("Unknown group config name: " + name);
            }
        }
        checkTags(proposed.get("streams.rack.aware.assignment.tags"));
        Map<String, Object> values = new LinkedHashMap<>();
        proposed.forEach((name, text) -> {
            @Nullable Object value = SettingsTable.GROUP.parse(name, text);
            if (value != null) {
                values.put(name, value);
            }
        });
        for (String name : BOUNDED) {
            checkBounds(name, values.get(name), broker);
        }
        checkStreams(values, broker);
        for (String kind : List.of("consumer", "share", "streams")) {
            checkSession(kind, values, broker);
        }
        if (values.getOrDefault("errors.deadletterqueue.topic.name", "")
                .toString()
                .startsWith("__")) {
            throw new InvalidConfigurationException(
                    "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'");
        }
    }

    private static void checkTags(@Nullable String text) {
        if (text != null && !text.isBlank()) {
            List<String> tags = Arrays.asList(text.trim().split("\\s*,\\s*", -1));
            if (new HashSet<>(tags).size() != tags.size()) {
                throw new InvalidConfigurationException(
                        "streams.rack.aware.assignment.tags must not contain duplicate tag keys.");
            }
        }
    }

    private static void checkBounds(String name, @Nullable Object value, BrokerConfig broker) {
        if (value == null) {
            return;
        }
        int dot = name.indexOf('.');
        String kind = "group." + name.substring(0, dot);
        int min = broker.getInt(kind + ".min" + name.substring(dot));
        int max = broker.getInt(kind + ".max" + name.substring(dot));
        if ((Integer) value < min || (Integer) value > max) {
            throw new InvalidConfigurationException(
                    name + " must be in the range " + min + " to " + max + " inclusive.");
        }
    }

    private static void checkStreams(Map<String, Object> values, BrokerConfig broker) {
        checkMax("streams.num.standby.replicas", values, broker.getInt("group.streams.max.standby.replicas"));
        checkMax("streams.num.warmup.replicas", values, broker.getInt("group.streams.max.warmup.replicas"));
        int min = broker.getInt("group.streams.min.task.offset.interval.ms");
        if (values.get("streams.task.offset.interval.ms") instanceof Integer interval && interval < min) {
            throw new InvalidConfigurationException(
                    "streams.task.offset.interval.ms must be greater than or equal to " + min);
        }
        List<String> assignors = broker.getList("group.streams.assignors");
        @Nullable Object assignor = values.get("streams.assignor.name");
        if (assignor != null && !assignors.contains(assignor.toString())) {
            throw new InvalidConfigurationException("streams.assignor.name '" + assignor
                    + "' is not a registered task assignor. Registered assignors are: " + assignors + ".");
        }
    }

    private static void checkMax(String name, Map<String, Object> values, int max) {
        if (values.get(name) instanceof Integer value && value > max) {
            throw new InvalidConfigurationException(name + " must be less than or equal to " + max);
        }
    }

    private static void checkSession(String kind, Map<String, Object> values, BrokerConfig broker) {
        String session = kind + ".session.timeout.ms";
        String heartbeat = kind + ".heartbeat.interval.ms";
        if (!values.containsKey(session) && !values.containsKey(heartbeat)) {
            return;
        }
        int sessionMs = (Integer) values.getOrDefault(session, broker.getInt("group." + session));
        int heartbeatMs = (Integer) values.getOrDefault(heartbeat, broker.getInt("group." + heartbeat));
        if (sessionMs <= heartbeatMs) {
            throw new InvalidConfigurationException(session + " must be greater than " + heartbeat);
        }
    }

    private static Map.Entry<String, String> prefixed(String name) {
        return entry(name, "group." + name);
    }
}
