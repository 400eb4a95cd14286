package io.barnabas.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class JvmOptionsTest {
    private static final Runtime.Version JVM = Runtime.Version.parse("17.0.15+6");

    @Test
    void a_collector_of_the_operator_takes_the_place_of_ours() {
        assertThat(JvmOptions.defaults(List.of(), JVM, false)).contains("-XX:+UseSerialGC");
        assertThat(JvmOptions.defaults(List.of("-XX:+UseG1GC"), JVM, false)).doesNotContain("-XX:+UseSerialGC");
    }

    @Test
    void a_small_heap_of_the_operator_is_not_below_our_first_size() {
        assertThat(JvmOptions.defaults(List.of("-Xmx128m"), JVM, false)).noneMatch(option -> option.startsWith("-Xms"));
        assertThat(JvmOptions.defaults(List.of("-XX:MaxHeapSize=128m"), JVM, false))
                .noneMatch(option -> option.startsWith("-Xms"));
    }

    @Test
    void a_large_heap_of_the_operator_starts_as_ours() {
        assertThat(JvmOptions.defaults(List.of("-Xmx4g"), JVM, false)).contains("-Xms160m");
        assertThat(JvmOptions.defaults(List.of("-Xmx2048m"), JVM, false)).contains("-Xms160m");
    }

    @Test
    void a_jvm_that_cannot_trim_is_not_told_to() {
        for (String older : List.of("17.0.8+7", "19.0.2+7", "21+35")) {
            assertThat(JvmOptions.defaults(List.of(), Runtime.Version.parse(older), false))
                    .as(older)
                    .noneMatch(option -> option.contains("Trim"));
        }
        for (String newer : List.of("17.0.15+6", "21.0.1+12", "25+36")) {
            assertThat(JvmOptions.defaults(List.of(), Runtime.Version.parse(newer), false))
                    .as(newer)
                    .anyMatch(option -> option.contains("Trim"));
        }
    }

    @Test
    void sockets_of_ipv6_are_left_out_where_none_is_asked_for() {
        assertThat(JvmOptions.defaults(List.of(), JVM, false)).contains("-Djava.net.preferIPv4Stack=true");
        assertThat(JvmOptions.defaults(List.of(), JVM, true)).contains("-Djava.net.preferIPv4Stack=false");
    }

    /** Two of 551 starts failed as the container's services were started by several threads. */
    @Test
    void the_containers_services_are_started_by_one_thread() {
        assertThat(JvmOptions.defaults(List.of(), JVM, false))
                .contains("-Dorg.glassfish.startupThreadPolicy=USE_NO_THREADS");
    }
}
