package io.barnabas.launcher;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.start.Refusal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class PreflightTest {
    @Test
    void a_machine_that_does_not_know_its_own_name_is_told_what_to_do() {
        assertThatThrownBy(() -> Preflight.checkOwnName(() -> {
                    throw new UnknownHostException("alone: alone: Name or service not known");
                }))
                .isInstanceOf(Refusal.class)
                .hasMessageContainingAll("its own name, alone:", "\"127.0.0.1 alone\"", "/etc/hosts");
    }

    @Test
    void a_machine_that_knows_its_name_starts() {
        assertThatCode(() -> Preflight.checkOwnName(InetAddress::getLoopbackAddress))
                .doesNotThrowAnyException();
    }
}
