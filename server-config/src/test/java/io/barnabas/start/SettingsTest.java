package io.barnabas.start;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where settings come from, which wins, and what the launcher understands of them. */
class SettingsTest {
    private static final String KEY = "log.dirs";

    @TempDir
    Path dir;

    @AfterEach
    void clear() {
        System.clearProperty(KEY);
        System.clearProperty("barnabas.set");
        System.clearProperty("barnabas.config");
    }

    @Test
    void the_command_line_wins_over_system_properties_over_the_environment_over_the_file() throws Exception {
        Path file = Files.writeString(dir.resolve("server.properties"), "log.dirs=/file\n");
        Map<String, String> environment = Map.of("LOG_DIRS", "/environment");
        System.setProperty(KEY, "/property");

        assertThat(Settings.read(file, Map.of(KEY, "/set"), environment).get(KEY))
                .isEqualTo("/set");
        assertThat(Settings.read(file, Map.of(), environment).get(KEY)).isEqualTo("/property");
        System.clearProperty(KEY);
        assertThat(Settings.read(file, Map.of(), environment).get(KEY)).isEqualTo("/environment");
        assertThat(Settings.read(file, Map.of(), Map.of()).get(KEY)).isEqualTo("/file");
        assertThat(Settings.read(null, Map.of(), Map.of()).get(KEY)).isNull();
    }

    @Test
    void it_is_known_where_a_value_stands() throws Exception {
        Path file = Files.writeString(dir.resolve("server.properties"), "node.id=3\n");
        Settings settings = Settings.read(file, Map.of("num.partitions", "2"), Map.of("LOG_DIRS", "/d"));

        assertThat(settings.whereSet("num.partitions")).contains("command line");
        assertThat(settings.whereSet("log.dirs")).contains("environment");
        assertThat(settings.whereSet("node.id")).contains(file.toString());
        assertThat(settings.whereSet("broker.rack")).isEmpty();
    }

    @Test
    void all_values_are_known_keys_from_anywhere_and_whatever_file_and_command_line_hold() throws Exception {
        Path file = Files.writeString(dir.resolve("server.properties"), "log.retention.hour=5\nnode.id= 3 \n");
        Settings settings = Settings.read(
                file, Map.of("zip", "1"), Map.of("LOG_DIRS", "/d", "HOME", "/root", "num_partitions", "4"));

        assertThat(settings.all(Set.of("node.id", "log.dirs", "num.partitions", "broker.rack")))
                .isEqualTo(Map.of(
                        "log.retention.hour",
                        "5",
                        "node.id",
                        "3",
                        "zip",
                        "1",
                        "log.dirs",
                        "/d",
                        "num.partitions",
                        "4"));
    }

    @Test
    void the_servers_process_reads_what_the_launcher_was_given() throws Exception {
        // Given
        Path file = Files.writeString(dir.resolve("server.properties"), "node.id=3\n");
        Settings given = Settings.read(file, Map.of("a", "1=2", "b", ""), Map.of());
        // When
        given.asSystemProperties().forEach(System::setProperty);
        Settings told = Settings.ofSystemProperties();
        // Then
        assertThat(told.all(Set.of())).isEqualTo(given.all(Set.of())).containsEntry("a", "1=2");
    }

    @Test
    void without_a_word_the_broker_listens_on_loopback_and_keeps_its_data_in_the_working_directory() {
        Settings settings = Settings.read(null, Map.of(), Map.of());

        assertThat(settings.listeners()).containsExactly(new Settings.Listener("listeners", "127.0.0.1", 9092));
        assertThat(settings.http()).isEqualTo(new Settings.Listener("barnabas.http.port", "127.0.0.1", 8080));
        assertThat(settings.dataDirectories()).containsExactly(Path.of("data").toAbsolutePath());
    }

    @Test
    void kafkas_own_file_is_read_and_the_controllers_listener_left_out() {
        Settings settings = Settings.read(Path.of("src/test/resources/kraft-server.properties"), Map.of(), Map.of());

        assertThat(settings.listeners()).containsExactly(new Settings.Listener("listeners", "", 9092));
        assertThat(settings.dataDirectories()).containsExactly(Path.of("/tmp/kraft-combined-logs"));
    }

    @Test
    void several_data_directories_and_listeners_are_told_apart() {
        Settings settings = Settings.read(
                null,
                Map.of(
                        "log.dirs", "/a/../b , /c",
                        "listeners", "PLAINTEXT://[::1]:1, INSIDE://host:0,nonsense,Ctl://:3",
                        "controller.listener.names", "CTL"),
                Map.of());

        assertThat(settings.dataDirectories()).containsExactly(Path.of("/b"), Path.of("/c"));
        assertThat(settings.listeners()).map(Object::toString).containsExactly("[::1]:1", "host:0");
    }

    @ParameterizedTest
    @CsvSource({
        "PLAINTEXT://127.0.0.1:1, false",
        "PLAINTEXT://0.0.0.0:1, false",
        "PLAINTEXT://[::1]:1, true",
        "PLAINTEXT://[::]:1, true",
        "PLAINTEXT://:1, true"
    })
    void ipv6_is_needed_where_a_listener_names_it_or_opens_every_address(String listener, boolean needed) {
        assertThat(Settings.read(null, Map.of("listeners", listener), Map.of()).needsIpv6())
                .isEqualTo(needed);
    }

    @Test
    void ipv6_is_needed_for_a_console_that_is_there() {
        assertThat(Settings.read(null, Map.of("barnabas.http.host", "::1"), Map.of())
                        .needsIpv6())
                .isTrue();
        assertThat(Settings.read(null, Map.of(), Map.of()).needsIpv6()).isFalse();
    }

    @Test
    void a_port_of_the_console_that_is_none_names_key_value_and_what_is_allowed() {
        for (String port : new String[] {"0", "65536", "-1", "http"}) {
            Settings settings = Settings.read(null, Map.of("barnabas.http.port", port), Map.of());

            assertThatThrownBy(settings::http)
                    .isInstanceOf(Refusal.class)
                    .hasMessageContainingAll("barnabas.http.port", port, "1 to 65535");
        }
    }

    @Test
    void a_file_that_cannot_be_read_is_refused_by_name() throws Exception {
        Path binary = Files.write(dir.resolve("binary"), new byte[] {'a', '=', (byte) 0xff, (byte) 0xfe});
        Path escape = Files.writeString(dir.resolve("escape"), "a=\\u00zz\n");

        assertRefused(dir.resolve("missing"), "no configuration file");
        assertRefused(dir, "is a directory");
        assertRefused(binary, "UTF-8");
        assertRefused(escape, "cannot be read");
    }

    private static void assertRefused(Path file, String reason) {
        assertThatThrownBy(() -> Settings.read(file, Map.of(), Map.of()))
                .isInstanceOf(Refusal.class)
                .hasMessageContainingAll(file.toString(), reason);
    }

    @Test
    void a_setting_that_cannot_be_handed_on_is_refused() {
        assertThatThrownBy(() -> Settings.read(null, Map.of("", "x"), Map.of()))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("KEY=VALUE");
        assertThatThrownBy(() -> Settings.read(null, Map.of("a", "1\nb=2"), Map.of()))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("more than one line");
    }

    @Test
    void a_list_of_no_directories_is_refused() {
        Settings settings = Settings.read(null, Map.of("log.dirs", ","), Map.of());

        assertThatThrownBy(settings::dataDirectories)
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("log.dirs");
    }
}
