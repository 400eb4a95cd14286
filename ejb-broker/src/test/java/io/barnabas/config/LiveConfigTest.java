package io.barnabas.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.junit.jupiter.api.Test;

class LiveConfigTest {
    private final LiveConfig live =
            new LiveConfig(BrokerConfig.of(Map.of("log.retention.ms", "1000", "message.max.bytes", "5000")));

    @Test
    void what_is_set_for_this_broker_hides_what_is_set_for_all_and_at_start() {
        live.update(Map.of("message.max.bytes", "6000"), Map.of("message.max.bytes", "7000"));

        assertThat(live.current().getInt("message.max.bytes")).isEqualTo(7000);
        assertThat(live.origins("message.max.bytes"))
                .extracting(LiveConfig.Origin::value, LiveConfig.Origin::source)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("7000", ConfigSource.DYNAMIC_BROKER_CONFIG),
                        org.assertj.core.groups.Tuple.tuple("6000", ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG),
                        org.assertj.core.groups.Tuple.tuple("5000", ConfigSource.STATIC_BROKER_CONFIG),
                        org.assertj.core.groups.Tuple.tuple("1048588", ConfigSource.DEFAULT_CONFIG));
    }

    @Test
    void a_setting_made_at_run_time_hides_the_other_names_of_the_same_setting() {
        LiveConfig hours = new LiveConfig(BrokerConfig.of(Map.of("log.roll.hours", "5")));

        hours.update(Map.of("log.roll.ms", "60000"), Map.of());

        assertThat(TopicSettings.logConfig(hours.current(), Map.of()).segmentMs())
                .isEqualTo(60_000);
    }

    @Test
    void a_stored_setting_that_cannot_take_effect_is_passed_over() {
        live.update(Map.of("num.partitions", "3", "message.max.bytes", "-5", "log.segment.bytes", "2000000"), Map.of());

        assertThat(live.current().getInt("num.partitions")).isEqualTo(1);
        assertThat(live.current().getInt("message.max.bytes")).isEqualTo(5000);
        assertThat(live.current().getInt("log.segment.bytes")).isEqualTo(2_000_000);
    }

    @Test
    void read_only_per_broker_and_bad_values_are_refused() {
        refused(Map.of("num.partitions", "3"), true, "Cannot update these configs dynamically: [num.partitions]");
        refused(Map.of("ssl.keystore.location", "k"), true, "only per-listener using the listener prefix");
        refused(
                Map.of("listener.name.internal.ssl.keystore.location", "k"),
                false,
                "Cannot update these configs at default cluster level, broker id must be specified");
        refused(Map.of("message.max.bytes", "-1"), false, "message.max.bytes");
        refused(Map.of("num.io.threads", "1"), false, "at least half the current value 8");
        refused(Map.of("num.io.threads", "17"), false, "not be greater than double the current value 8");
        refused(
                Map.of("log.cleaner.min.compaction.lag.ms", "5", "log.cleaner.max.compaction.lag.ms", "4"),
                false,
                "conflict");
        live.validate(
                Map.of("num.io.threads", "16", "leader.replication.throttled.rate", "5", "my.plugin.key", "x"), false);
        live.validate(Map.of("listener.name.internal.ssl.keystore.location", "k"), true);
    }

    private void refused(Map<String, String> proposed, boolean perBroker, String message) {
        assertThatThrownBy(() -> live.validate(proposed, perBroker))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }
}
