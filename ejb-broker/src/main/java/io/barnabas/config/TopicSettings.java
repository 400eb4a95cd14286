package io.barnabas.config;

import static java.util.Map.entry;

import io.barnabas.log.LogConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * The rules of topic keys: which broker keys they fall back to, what must hold between them, and the {@link LogConfig} that they
 * amount to. Pure functions.
 */
public final class TopicSettings {
    private static final long MINUTE_MS = 60_000;
    private static final long HOUR_MS = 60 * MINUTE_MS;

    /** Topic keys and the broker keys that stand in for them, the first that is set winning. */
    private static final Map<String, List<Synonym>> SYNONYMS = Map.ofEntries(
            same("log.", "cleanup.policy"),
            same("", "compression.type"),
            same("", "compression.gzip.level"),
            same("", "compression.lz4.level"),
            same("", "compression.zstd.level"),
            same("log.cleaner.", "delete.retention.ms"),
            to("file.delete.delay.ms", "log.segment.delete.delay.ms"),
            to("flush.messages", "log.flush.interval.messages"),
            entry(
                    "flush.ms",
                    List.of(
                            new Synonym("log.flush.interval.ms", 1),
                            new Synonym("log.flush.scheduler.interval.ms", 1))),
            same("log.", "index.interval.bytes"),
            same("log.", "local.retention.bytes"),
            same("log.", "local.retention.ms"),
            same("log.cleaner.", "max.compaction.lag.ms"),
            same("", "max.decompressed.message.bytes"),
            to("max.message.bytes", "message.max.bytes"),
            same("log.", "message.timestamp.after.max.ms"),
            same("log.", "message.timestamp.before.max.ms"),
            same("log.", "message.timestamp.type"),
            to("min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio"),
            same("log.cleaner.", "min.compaction.lag.ms"),
            same("", "min.insync.replicas"),
            same("log.", "preallocate"),
            same("log.", "remote.copy.lag.bytes"),
            same("log.", "remote.copy.lag.ms"),
            same("log.", "retention.bytes"),
            entry(
                    "retention.ms",
                    List.of(
                            new Synonym("log.retention.ms", 1),
                            new Synonym("log.retention.minutes", MINUTE_MS),
                            new Synonym("log.retention.hours", HOUR_MS))),
            same("log.", "segment.bytes"),
            to("segment.index.bytes", "log.index.size.max.bytes"),
            entry(
                    "segment.jitter.ms",
                    List.of(new Synonym("log.roll.jitter.ms", 1), new Synonym("log.roll.jitter.hours", HOUR_MS))),
            entry("segment.ms", List.of(new Synonym("log.roll.ms", 1), new Synonym("log.roll.hours", HOUR_MS))),
            same("", "unclean.leader.election.enable"),
            same("", "barnabas.durability"));

    private TopicSettings() {}

    /**
     * A broker key that stands in for a topic key.
     *
     * @param unit what its numbers are multiplied by
     */
    public record Synonym(String brokerKey, long unit) {}

    /** The broker keys that stand in for a topic key, first the one that wins; empty if there is none. */
    public static List<Synonym> synonyms(String topicKey) {
        return SYNONYMS.getOrDefault(topicKey, List.of());
    }

    /** The value of a topic key for a topic that does not set it. */
    public static @Nullable Object brokerDefault(BrokerConfig broker, Setting topicKey) {
        for (Synonym synonym : synonyms(topicKey.name())) {
            @Nullable Object value = broker.valueOrNull(synonym.brokerKey());
            if (value instanceof Number n && synonym.unit() != 1) {
                return n.longValue() < 0 ? -1L : n.longValue() * synonym.unit();
            } else if (value != null) {
                return value;
            }
        }
        return topicKey.defaultValue();
    }

    /** The values of all topic keys for a topic that sets {@code overrides}. */
    public static Map<String, @Nullable Object> values(BrokerConfig broker, Map<String, String> overrides) {
        Map<String, @Nullable Object> values = new HashMap<>();
        for (Setting key : SettingsTable.TOPIC.settings()) {
            @Nullable String override = overrides.get(key.name());
            values.put(
                    key.name(),
                    override == null ? brokerDefault(broker, key) : SettingsTable.TOPIC.parse(key.name(), override));
        }
        return values;
    }

    /**
     * Checks a topic's settings.
     *
     * @param existing what the topic sets now
     * @param proposed all that it would set
     * @throws InvalidConfigurationException unknown key, or keys that do not go together
     * @throws ConfigException a value that is not allowed
     */
    public static void validate(Map<String, String> existing, Map<String, String> proposed, BrokerConfig broker) {
        for (String name : proposed.keySet()) {
            if (SettingsTable.TOPIC.setting(name) == null) {
                throw new InvalidConfigurationException("Unknown topic config name: " + name);
            }
        }
        Map<String, @Nullable Object> values = values(broker, proposed);
        checkCompactionLags(values);
        if (Boolean.TRUE.equals(values.get("remote.storage.enable"))) {
            throw new ConfigException(
                    "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.");
        }
    }

    /** The log settings of a topic that sets {@code overrides}, which must have been validated. */
    public static LogConfig logConfig(BrokerConfig broker, Map<String, String> overrides) {
        Values v = new Values(values(broker, overrides));
        List<String> policy = ((List<?>) v.get("cleanup.policy"))
                .stream().map(p -> p.toString().toLowerCase(Locale.ROOT)).toList();
        @Nullable Object internalSegmentBytes = v.all.get("internal.segment.bytes");
        return new LogConfig(
                internalSegmentBytes == null ? v.intOf("segment.bytes") : (Integer) internalSegmentBytes,
                v.longOf("segment.ms"),
                v.longOf("segment.jitter.ms"),
                v.intOf("segment.index.bytes"),
                v.intOf("index.interval.bytes"),
                v.longOf("retention.ms"),
                v.longOf("retention.bytes"),
                policy.contains("compact"),
                policy.contains("delete"),
                v.longOf("delete.retention.ms"),
                (Double) v.get("min.cleanable.dirty.ratio"),
                v.longOf("min.compaction.lag.ms"),
                v.longOf("max.compaction.lag.ms"),
                v.longOf("file.delete.delay.ms"),
                v.longOf("flush.messages"),
                v.longOf("flush.ms"),
                v.intOf("max.message.bytes"),
                v.intOf("max.decompressed.message.bytes"),
                v.get("compression.type").toString(),
                v.intOf("compression.gzip.level"),
                v.intOf("compression.lz4.level"),
                v.intOf("compression.zstd.level"),
                TimestampType.forName(v.get("message.timestamp.type").toString()),
                v.longOf("message.timestamp.before.max.ms"),
                v.longOf("message.timestamp.after.max.ms"),
                v.intOf("min.insync.replicas"),
                LogConfig.Durability.valueOf(
                        v.get("barnabas.durability").toString().toUpperCase(Locale.ROOT)));
    }

    static void checkBrokerDefaults(BrokerConfig broker) {
        checkCompactionLags(values(broker, Map.of()));
    }

    private static void checkCompactionLags(Map<String, @Nullable Object> all) {
        Values v = new Values(all);
        long min = v.longOf("min.compaction.lag.ms");
        long max = v.longOf("max.compaction.lag.ms");
        if (min > max) {
            throw new InvalidConfigurationException("conflict topic config setting min.compaction.lag.ms (" + min
                    + ") > max.compaction.lag.ms (" + max + ")");
        }
    }

    private static Map.Entry<String, List<Synonym>> same(String prefix, String name) {
        return to(name, prefix + name);
    }

    private static Map.Entry<String, List<Synonym>> to(String name, String brokerKey) {
        return entry(name, List.of(new Synonym(brokerKey, 1)));
    }

    private record Values(Map<String, @Nullable Object> all) {
        Object get(String name) {
            Object value = all.get(name);
            if (value == null) {
                throw new ConfigException("Configuration " + name + " has no value");
            }
            return value;
        }

        int intOf(String name) {
            return (Integer) get(name);
        }

        long longOf(String name) {
            return ((Number) get(name)).longValue();
        }
    }
}
