package io.barnabas.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Writes docs/configuration.md from the settings tables with -Dbarnabas.docs.write=true; otherwise sees that it is current. */
class ConfigurationPageTest {
    private static final Path PAGE = Path.of("..", "docs", "configuration.md");

    @Test
    void the_page_says_what_the_tables_say() throws IOException {
        String page = page();
        if (Boolean.getBoolean("barnabas.docs.write")) {
            Files.writeString(PAGE, page, StandardCharsets.UTF_8);
        }

        assertThat(Files.readString(PAGE, StandardCharsets.UTF_8))
                .as("made by: mvn -pl ejb-broker -am test -Dtest=ConfigurationPageTest -Dbarnabas.docs.write=true")
                .isEqualTo(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Configuration

                The keys are Kafka's, so that a `server.properties` of Kafka's starts Barnabas as it is; keys of its own begin with \
                `barnabas.`. With no configuration at all a broker keeps its data under `./data`, listens on `127.0.0.1:9092` only, and \
                its node id is 1. A value that is not allowed ends the start with a message that names the key, the value and what is \
                allowed; an unknown key is warned of with the nearest known one.

                Values come from the configuration file, MicroProfile Config (system properties, environment) and, for the keys that \
                can change at run time, from `kafka-configs.sh`; the nearest wins: set for this broker at run time, set for all \
                brokers at run time, set at start, default. What is set at run time is kept in the cluster's metadata.

                Internal topics get the replication factor of their key, but no more replicas than there are brokers when they are \
                made: Kafka's default of 3 therefore works on one node.

                Where the last column says *no*, the key is accepted and shown but does nothing yet; *KRaft* marks keys of Kafka's \
                own quorum, which never do anything here.
                """);
        table(page, "Broker", SettingsTable.BROKER);
        table(page, "Topic", SettingsTable.TOPIC);
        table(page, "Group", SettingsTable.GROUP);
        table(page, "Client metrics", SettingsTable.CLIENT_METRICS);
        return page.toString();
    }

    private static void table(StringBuilder page, String title, SettingsTable table) {
        page.append("\n## ").append(title).append('\n');
        String section = "";
        for (Setting s : table.settings()) {
            if (s.effect() == Setting.Effect.INTERNAL) {
                continue;
            }
            if (!s.section().equals(section)) {
                section = s.section();
                page.append("\n### ").append(section).append("\n\n");
                page.append(
                        "| key | type | default | allowed | changes | meaning | effect |\n|--|--|--|--|--|--|--|\n");
            }
            page.append("| `").append(s.name()).append("` | ");
            page.append(s.type().name().toLowerCase(Locale.ROOT)).append(" | ");
            page.append(shown(s.defaultText()))
                    .append(" | ")
                    .append(s.allowed())
                    .append(" | ");
            page.append(s.scope().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .append(" | ");
            page.append(s.meaning()).append(" | ").append(effect(s)).append(" |\n");
        }
    }

    private static String shown(@Nullable String text) {
        if (text == null) {
            return "–";
        }
        return text.isEmpty() ? "empty" : "`" + text + "`";
    }

    private static String effect(Setting s) {
        return switch (s.effect()) {
            case YES -> "yes";
            case NO -> "*no*";
            case KRAFT -> "*KRaft*";
            case INTERNAL -> "";
        };
    }
}
