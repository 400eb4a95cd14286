package io.barnabas.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.config.BrokerConfig;
import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The broker's own rules, held against a configuration before there is a container. */
class ConfigurationCheckTest {
    private static final Path KRAFT = Path.of("src/test/resources/kraft-server.properties");

    @TempDir
    Path dir;

    @Test
    void no_configuration_at_all_is_allowed() {
        assertThatCode(() -> check(Settings.read(null, Map.of()))).doesNotThrowAnyException();
    }

    @Test
    void kafkas_own_file_is_allowed_as_it_is_and_its_quorums_keys_are_said_to_have_no_effect() {
        Settings settings = Settings.read(KRAFT, Map.of());

        assertThatCode(() -> check(settings)).doesNotThrowAnyException();
        BrokerConfig config = BrokerConfig.of(settings.all(BrokerConfig.knownKeys()));
        for (String key :
                new String[] {"process.roles", "controller.quorum.bootstrap.servers", "controller.listener.names"}) {
            assertThat(config.warnings())
                    .anySatisfy(warning -> assertThat(warning).contains(key).contains("no effect"));
        }
        assertThat(config.warnings()).noneMatch(warning -> warning.startsWith("Unknown"));
    }

    @Test
    void an_unknown_key_is_allowed_and_the_nearest_known_one_named() {
        Settings settings = Settings.read(null, Map.of("log.retention.hour", "5"));

        assertThatCode(() -> check(settings)).doesNotThrowAnyException();
        assertThat(BrokerConfig.of(settings.all(BrokerConfig.knownKeys())).warnings())
                .singleElement()
                .asString()
                .contains("log.retention.hour: did you mean log.retention.hours");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    compression.type | zip                          | producer
                    num.partitions   | 0                            | at least 1
                    num.partitions   | three                        | INT
                    log.cleaner.enable | maybe                      | true
                    node.id          | -3                           | at least 0
                    listeners        | PLAINTEXT:/x                 | NAME://host:port
                    listeners        | PLAINTEXT://127.0.0.1:70000  | NAME://host:port
                    listeners        | SSL://127.0.0.1:9093         | PLAINTEXT
                    listeners        | INSIDE://127.0.0.1:9093      | listener.security.protocol.map
                    barnabas.durability | paper                     | fsync
                    """)
    void a_value_that_is_not_allowed_is_refused_with_key_value_what_is_allowed_and_where_it_stands(
            String key, String value, String allowed) {
        assertThatThrownBy(() -> check(Settings.read(null, Map.of(key, value))))
                .isInstanceOf(Refusal.class)
                .hasMessageContainingAll(key, value, allowed, "(command line)")
                .message()
                .hasLineCount(1);
    }

    @Test
    void the_file_that_holds_the_value_is_named() throws Exception {
        Path file = Files.writeString(dir.resolve("server.properties"), "log.dirs=/d\nlog.segment.bytes=many\n");

        assertThatThrownBy(() -> check(Settings.read(file, Map.of())))
                .hasMessageContainingAll("log.segment.bytes", "many", file.toString());
    }

    @Test
    void keys_that_contradict_each_other_are_refused() {
        assertThatThrownBy(() -> check(Settings.read(null, Map.of("node.id", "1", "broker.id", "2"))))
                .isInstanceOf(Refusal.class)
                .hasMessageContainingAll("broker.id", "node.id");
    }

    private static void check(Settings settings) {
        ConfigurationCheck.check(settings, ConfigurationCheckTest.class.getClassLoader());
    }
}
