package io.barnabas.request;

import io.barnabas.config.GroupSettings;
import io.barnabas.config.LiveConfig;
import io.barnabas.config.LiveConfig.Origin;
import io.barnabas.config.Setting;
import io.barnabas.config.SettingsTable;
import io.barnabas.config.TopicSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;
import org.jspecify.annotations.Nullable;

/**
 * Writes out configurations as DescribeConfigs answers them: each key with its value, where that comes from, and every value it hides
 * (KIP-226, KIP-569). Made for one request.
 */
final class ConfigDescriptions {
    private final LiveConfig config;
    private final boolean synonyms;
    private final boolean documentation;

    ConfigDescriptions(LiveConfig config, boolean synonyms, boolean documentation) {
        this.config = config;
        this.synonyms = synonyms;
        this.documentation = documentation;
    }

    /** Every key of this broker, and what else was given to it. */
    List<DescribeConfigsResourceResult> broker() {
        List<DescribeConfigsResourceResult> results = new ArrayList<>();
        Map<String, String> given = config.current().given();
        for (Setting setting : SettingsTable.BROKER.settings()) {
            boolean hidden =
                    setting.effect() == Setting.Effect.INTERNAL || setting.scope() == Setting.Scope.DYNAMIC_ONLY;
            if (!hidden || given.containsKey(setting.name())) {
                String value =
                        ConfigDef.convertToString(config.current().values().get(setting.name()), setting.type());
                results.add(broker(setting.name(), setting, value, config.origins(setting.name())));
            }
        }
        for (Map.Entry<String, String> other : given.entrySet()) {
            if (SettingsTable.BROKER.setting(other.getKey()) == null) {
                Setting overridden = LiveConfig.settingOf(other.getKey());
                results.add(broker(other.getKey(), overridden, other.getValue(), config.origins(other.getKey())));
            }
        }
        return results;
    }

    /** What was set at run time for all brokers. */
    List<DescribeConfigsResourceResult> allBrokers() {
        List<DescribeConfigsResourceResult> results = new ArrayList<>();
        config.allBrokers().forEach((name, value) -> {
            List<Origin> origins = config.origins(name).stream()
                    .filter(o -> o.source() == ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG)
                    .toList();
            results.add(broker(name, LiveConfig.settingOf(name), value, origins));
        });
        return results;
    }

    private DescribeConfigsResourceResult broker(
            String name, @Nullable Setting setting, @Nullable String value, List<Origin> origins) {
        boolean sensitive = setting == null || setting.isSensitive();
        return described(name, setting, sensitive ? null : value, synonyms(origins, sensitive))
                .setIsSensitive(sensitive)
                .setReadOnly(setting == null
                        || !setting.isDynamic()
                        || !setting.name().equals(name)); // as Kafka
    }

    /** Every key of a topic that sets {@code own}. */
    List<DescribeConfigsResourceResult> topic(Map<String, String> own) {
        Map<String, @Nullable Object> values = TopicSettings.values(config.current(), own);
        List<DescribeConfigsResourceResult> results = new ArrayList<>();
        for (Setting setting : SettingsTable.TOPIC.settings()) {
            if (setting.effect() != Setting.Effect.INTERNAL || own.containsKey(setting.name())) {
                List<Origin> inherited = TopicSettings.synonyms(setting.name()).stream()
                        .findFirst()
                        .map(s -> config.origins(s.brokerKey()))
                        .orElse(List.of());
                String value = ConfigDef.convertToString(values.get(setting.name()), setting.type());
                results.add(owned(setting, value, own, ConfigSource.TOPIC_CONFIG, inherited));
            }
        }
        return results;
    }

    /** Every key of a group that sets {@code own}. */
    List<DescribeConfigsResourceResult> group(Map<String, String> own) {
        List<DescribeConfigsResourceResult> results = new ArrayList<>();
        for (Setting setting : SettingsTable.GROUP.settings()) {
            if (setting.effect() == Setting.Effect.INTERNAL && !own.containsKey(setting.name())) {
                continue;
            }
            Optional<String> synonym = GroupSettings.synonym(setting.name());
            String defaultText = Optional.ofNullable(setting.defaultText()).orElse("");
            List<Origin> inherited = synonym.map(config::origins)
                    .orElseGet(() -> List.of(new Origin(setting.name(), defaultText, ConfigSource.DEFAULT_CONFIG)));
            String fallback =
                    ConfigDef.convertToString(GroupSettings.brokerDefault(config.current(), setting), setting.type());
            String value = own.getOrDefault(setting.name(), fallback);
            results.add(owned(setting, value, own, ConfigSource.GROUP_CONFIG, inherited));
        }
        return results;
    }

    /** Every key of a client metrics subscription that sets {@code own}. */
    List<DescribeConfigsResourceResult> clientMetrics(Map<String, String> own) {
        List<DescribeConfigsResourceResult> results = new ArrayList<>();
        for (Setting setting : SettingsTable.CLIENT_METRICS.settings()) {
            String value = own.getOrDefault(setting.name(), setting.defaultText());
            results.add(owned(setting, value, own, ConfigSource.CLIENT_METRICS_CONFIG, List.of()));
        }
        return results;
    }

    /** Levels by logger. */
    static List<DescribeConfigsResourceResult> loggers(Map<String, String> levels) {
        List<DescribeConfigsResourceResult> results = new ArrayList<>();
        levels.forEach((name, level) -> results.add(new DescribeConfigsResourceResult()
                .setName(name)
                .setValue(level)
                .setConfigSource(ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG.id())));
        return results;
    }

    private DescribeConfigsResourceResult owned(
            Setting setting,
            @Nullable String value,
            Map<String, String> own,
            ConfigSource source,
            List<Origin> inherited) {
        List<DescribeConfigsSynonym> all = new ArrayList<>();
        if (own.containsKey(setting.name())) {
            all.add(new DescribeConfigsSynonym()
                    .setName(setting.name())
                    .setValue(value)
                    .setSource(source.id()));
        }
        all.addAll(synonyms(inherited, setting.isSensitive()));
        return described(setting.name(), setting, value, all);
    }

    private DescribeConfigsResourceResult described(
            String name, @Nullable Setting setting, @Nullable String value, List<DescribeConfigsSynonym> all) {
        return new DescribeConfigsResourceResult()
                .setName(name)
                .setValue(value)
                .setConfigSource(
                        all.isEmpty()
                                ? ConfigSource.DEFAULT_CONFIG.id()
                                : all.get(0).source())
                .setSynonyms(synonyms ? all : List.of())
                .setConfigType(type(setting).id())
                .setDocumentation(documentation && setting != null ? setting.meaning() : null);
    }

    private static List<DescribeConfigsSynonym> synonyms(List<Origin> origins, boolean sensitive) {
        List<DescribeConfigsSynonym> all = new ArrayList<>(origins.size());
        for (Origin origin : origins) {
            all.add(new DescribeConfigsSynonym()
                    .setName(origin.name())
                    .setValue(sensitive ? null : origin.value())
                    .setSource(origin.source().id()));
        }
        return all;
    }

    private static ConfigType type(@Nullable Setting setting) {
        return setting == null
                ? ConfigType.UNKNOWN
                : ConfigType.valueOf(setting.type().name());
    }
}
