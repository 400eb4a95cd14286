package io.barnabas.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BrokerConfigTest {
    @Test
    void starts_on_the_loopback_address_with_no_configuration_at_all() {
        BrokerConfig config = BrokerConfig.defaults();

        assertThat(config.nodeId()).isEqualTo(1);
        assertThat(config.logDirs()).containsExactly(Path.of("data"));
        assertThat(config.listeners().bound()).singleElement().satisfies(e -> {
            assertThat(e.name()).isEqualTo("PLAINTEXT");
            assertThat(e.host()).isEqualTo("127.0.0.1");
            assertThat(e.port()).isEqualTo(9092);
        });
        assertThat(config.warnings()).isEmpty();
    }

    @Test
    void takes_a_server_properties_of_kafkas_as_it_is() {
        // Given
        Map<String, String> kafkas = Map.ofEntries(
                Map.entry("process.roles", "broker,controller"),
                Map.entry("node.id", "1"),
                Map.entry("controller.quorum.bootstrap.servers", "localhost:9093"),
                Map.entry("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
                Map.entry("inter.broker.listener.name", "PLAINTEXT"),
                Map.entry("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
                Map.entry("controller.listener.names", "CONTROLLER"),
                Map.entry(
                        "listener.security.protocol.map",
                        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL"),
                Map.entry("log.dirs", "/tmp/kraft-combined-logs"),
                Map.entry("share.coordinator.state.topic.min.isr", "1"),
                Map.entry("log.retention.hours", "168"));

        // When
        BrokerConfig config = BrokerConfig.of(kafkas);

        // Then
        assertThat(config.listeners().bound())
                .extracting(Listeners.Endpoint::name)
                .containsExactly("PLAINTEXT");
        assertThat(config.listeners().advertised())
                .extracting(Listeners.Endpoint::host)
                .containsExactly("localhost");
        assertThat(config.warnings())
                .contains("Configuration process.roles concerns Kafka's own quorum and has no effect")
                .noneMatch(w -> w.startsWith("Unknown"));
    }

    @Test
    void an_unknown_key_is_warned_of_with_the_nearest_known_one() {
        assertThat(BrokerConfig.of(Map.of("num.partitons", "3")).warnings())
                .containsExactly("Unknown configuration num.partitons: did you mean num.partitions?");
        assertThat(BrokerConfig.of(Map.of("confluent.balancer.enable", "true")).warnings())
                .singleElement()
                .asString()
                .startsWith("Unknown configuration confluent.balancer.enable");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "num.partitions; 0; at least 1",
                "num.partitions; many; INT",
                "compression.type; brotli; zstd",
                "log.retention.ms; 0; at least 1",
                "log.cleaner.dedupe.buffer.size; 1000; 1 MB",
                "listeners; PLAINTEXT://here; NAME://host:port",
                "listeners; SSL://:9093; only PLAINTEXT",
                "listeners; FOO://:9093; No security protocol",
                "listeners; PLAINTEXT://0.0.0.0:9092; advertised.listeners",
                "advertised.listeners; OTHER://h:1; No security protocol",
                "advertised.listeners; SSL://h:1; not one of the listeners",
                "barnabas.durability; ram; os",
                "compression.gzip.level; 0; 1 .. 9 or -1",
                "broker.id; 7,; INT",
                "group.coordinator.rebalance.protocols; consumer; classic",
                "listener.security.protocol.map; PLAINTEXT:FOO; Protocols are",
            })
    void a_value_that_is_not_allowed_is_refused_with_key_value_and_what_is_allowed(
            String key, String value, String allowed) {
        assertThatThrownBy(() -> BrokerConfig.of(Map.of(key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(key)
                .hasMessageContaining(allowed);
    }

    @Test
    void all_bad_values_are_named_at_once() {
        assertThatThrownBy(() -> BrokerConfig.of(Map.of("num.partitions", "0", "compression.type", "brotli")))
                .hasMessageContaining("num.partitions")
                .hasMessageContaining("compression.type");
    }

    @Test
    void the_older_name_of_the_node_id_counts_and_must_agree() {
        assertThat(BrokerConfig.of(Map.of("broker.id", "4")).nodeId()).isEqualTo(4);
        assertThatThrownBy(() -> BrokerConfig.of(Map.of("broker.id", "4", "node.id", "5")))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void brokers_that_are_not_alone_need_a_listener_for_each_other_beside_the_clients() {
        String voters = "1@a:9093,2@b:9093,3@c:9093";
        String both = "PLAINTEXT://:9092,BROKER://:9091";
        String map = "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT";
        assertThat(interBroker(voters, both, "broker", map)).isEqualTo("BROKER");
        assertThatThrownBy(() -> interBroker(voters, both, null, map))
                .hasMessageContaining("inter.broker.listener.name")
                .hasMessageContaining("controller.quorum.voters");
        assertThatThrownBy(() -> interBroker(voters, "PLAINTEXT://:9092", "PLAINTEXT", map))
                .hasMessageContaining("another listener");
        assertThatThrownBy(() -> interBroker(voters, both, "OTHER", map)).hasMessageContaining("one of listeners");
        // another node's quorum, too, makes this one not alone
        assertThatThrownBy(() -> interBroker("2@b:9093", both, null, map)).hasMessageContaining("inter.broker");
    }

    @Test
    void a_broker_alone_may_name_its_clients_listener_as_a_kafka_of_one_node_does() {
        String map = "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT";
        assertThat(interBroker("1@localhost:9093", "PLAINTEXT://:9092", "PLAINTEXT", map))
                .isNull();
        assertThat(interBroker("", "PLAINTEXT://:9092,BROKER://:9091", null, map))
                .isNull();
        assertThat(interBroker("", "PLAINTEXT://:9092,BROKER://:9091", "BROKER", map))
                .isEqualTo("BROKER");
    }

    private static @Nullable String interBroker(
            String voters, String listeners, @Nullable String name, String protocols) {
        Map<String, String> given = new HashMap<>(Map.of(
                "node.id", "1",
                "listeners", listeners,
                "controller.quorum.voters", voters,
                "listener.security.protocol.map", protocols));
        if (name != null) {
            given.put("inter.broker.listener.name", name);
        }
        return BrokerConfig.of(given).listeners().interBroker();
    }

    @ParameterizedTest
    @CsvSource({
        "log.retention.ms, 5000, log.retention.hours, 1, 5000",
        "log.retention.minutes, 2, log.retention.hours, 1, 120000",
        "log.retention.hours, 3, log.segment.bytes, 2000000, 10800000",
        "log.retention.hours, -1, log.segment.bytes, 2000000, -1",
    })
    void the_finest_unit_of_retention_wins(
            String key, String value, String other, String otherValue, long retentionMs) {
        BrokerConfig config = BrokerConfig.of(Map.of(key, value, other, otherValue));

        assertThat(TopicSettings.logConfig(config, Map.of()).retentionMs()).isEqualTo(retentionMs);
    }

    @Test
    void every_default_is_allowed_and_the_log_defaults_are_the_logs_own() {
        BrokerConfig config = BrokerConfig.defaults();

        assertThat(TopicSettings.logConfig(config, Map.of())).isEqualTo(io.barnabas.log.LogConfig.defaults());
        assertThat(SettingsTable.BROKER.settings()).hasSizeGreaterThan(350);
        assertThat(SettingsTable.TOPIC.settings().stream().filter(s -> s.effect() != Setting.Effect.INTERNAL))
                .hasSize(38); // Kafka's 37 and barnabas.durability
    }
}
