package io.barnabas.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.log.LogConfig;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResourceSettingsTest {
    private static final BrokerConfig BROKER = BrokerConfig.of(Map.of("log.retention.hours", "2"));

    @Test
    void a_topics_own_settings_go_before_the_brokers() {
        LogConfig config = TopicSettings.logConfig(
                BROKER,
                Map.of("cleanup.policy", "compact,delete", "segment.bytes", "2000000", "barnabas.durability", "fsync"));

        assertThat(config.compact()).isTrue();
        assertThat(config.delete()).isTrue();
        assertThat(config.segmentBytes()).isEqualTo(2_000_000);
        assertThat(config.retentionMs()).isEqualTo(7_200_000);
        assertThat(config.durability()).isEqualTo(LogConfig.Durability.FSYNC);
        assertThat(TopicSettings.logConfig(BROKER, Map.of("cleanup.policy", "")).delete())
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "cleanup.policy, keep",
        "segment.bytes, 1000",
        "retention.ms, -2",
        "min.insync.replicas, 0",
        "min.cleanable.dirty.ratio, 1.5",
        "message.timestamp.type, Now",
        "compression.gzip.level, 10",
        "compression.zstd.level, 23",
        "leader.replication.throttled.replicas, 1-2",
        "remote.storage.enable, true",
        "max.decompressed.message.bytes, 0",
    })
    void a_topic_value_that_is_not_allowed_is_refused(String key, String value) {
        assertThatThrownBy(() -> TopicSettings.validate(Map.of(), Map.of(key, value), BROKER))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void unknown_and_conflicting_topic_keys_are_refused() {
        assertThatThrownBy(() -> TopicSettings.validate(Map.of(), Map.of("segment.size", "1"), BROKER))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessage("Unknown topic config name: segment.size");
        assertThatThrownBy(() -> TopicSettings.validate(Map.of(), Map.of("min.cleanable.dirty.ratio", "1.1"), BROKER))
                .hasMessage(
                        "Invalid value 1.1 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
        assertThatThrownBy(() -> TopicSettings.validate(
                        Map.of(), Map.of("min.compaction.lag.ms", "9", "max.compaction.lag.ms", "8"), BROKER))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessage("conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (8)");
        TopicSettings.validate(Map.of(), Map.of("follower.replication.throttled.replicas", "*"), BROKER);
        TopicSettings.validate(Map.of(), Map.of("follower.replication.throttled.replicas", "0:1,1:2"), BROKER);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "consumer.session.timeout.ms; 1; consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive.",
                "share.delivery.count.limit; 11; share.delivery.count.limit must be in the range 2 to 10 inclusive.",
                "streams.num.standby.replicas; 3; streams.num.standby.replicas must be less than or equal to 2",
                "streams.assignor.name; odd; streams.assignor.name 'odd' is not a registered task assignor.",
                "errors.deadletterqueue.topic.name; __x; DLQ topic name must not start with '__'",
                "no.such.key; 1; Unknown group config name: no.such.key",
            })
    void a_group_value_that_the_broker_does_not_allow_is_refused(String key, String value, String message) {
        assertThatThrownBy(() -> GroupSettings.validate(Map.of(key, value), BROKER))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining(message);
    }

    @Test
    void group_values_within_bounds_are_taken() {
        GroupSettings.validate(
                Map.of("consumer.session.timeout.ms", "50000", "share.auto.offset.reset", "by_duration:PT1H30M"),
                BROKER);
        assertThatThrownBy(() -> GroupSettings.validate(Map.of("share.auto.offset.reset", "by_duration:soon"), BROKER))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void client_metrics_are_checked() {
        ClientMetricsSettings.validate("s", Map.of("interval.ms", "100", "match", "client_id=a.*", "metrics", "*"));
        assertThatThrownBy(() -> ClientMetricsSettings.validate("s", Map.of("interval.ms", "99")))
                .isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> ClientMetricsSettings.validate("s", Map.of("match", "colour=red")))
                .isInstanceOf(ApiException.class);
        assertThatThrownBy(() -> ClientMetricsSettings.validate("", Map.of()))
                .isInstanceOf(InvalidRequestException.class);
    }
}
