package io.barnabas.metadata;

import io.barnabas.config.LiveConfig;
import io.barnabas.config.Setting;
import io.barnabas.config.SettingsTable;
import io.barnabas.config.TopicSettings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.jspecify.annotations.Nullable;

/** The settings that a new topic has, for the answer to its maker (KIP-525). */
final class EffectiveTopicConfigs {
    private EffectiveTopicConfigs() {}

    static List<CreatableTopicConfigs> of(LiveConfig config, Map<String, String> own) {
        List<CreatableTopicConfigs> all = new ArrayList<>();
        for (Setting key : SettingsTable.TOPIC.settings()) {
            @Nullable String value = own.get(key.name());
            if (key.effect() == Setting.Effect.INTERNAL && value == null) {
                continue;
            }
            ConfigSource source = value != null ? ConfigSource.TOPIC_CONFIG : source(config, key);
            String shown = value != null
                    ? value
                    : ConfigDef.convertToString(TopicSettings.brokerDefault(config.current(), key), key.type());
            all.add(new CreatableTopicConfigs()
                    .setName(key.name())
                    .setValue(key.isSensitive() ? null : shown)
                    .setConfigSource(source.id())
                    .setIsSensitive(key.isSensitive()));
        }
        all.sort(Comparator.comparing(CreatableTopicConfigs::name));
        return all;
    }

    /** Where the first of the broker's keys that is set for this topic key was set. */
    private static ConfigSource source(LiveConfig config, Setting key) {
        ConfigSource nearest = ConfigSource.DEFAULT_CONFIG;
        for (TopicSettings.Synonym synonym : TopicSettings.synonyms(key.name())) {
            for (LiveConfig.Origin origin : config.origins(synonym.brokerKey())) {
                if (origin.name().equals(synonym.brokerKey()) && origin.source().id() < nearest.id()) {
                    nearest = origin.source();
                }
            }
        }
        return nearest;
    }
}
