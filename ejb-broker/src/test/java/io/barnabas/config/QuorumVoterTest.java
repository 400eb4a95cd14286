package io.barnabas.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@NullMarked
class QuorumVoterTest {
    private static List<QuorumVoter> voters(String text) {
        return BrokerConfig.of(Map.of(
                        "node.id",
                        "2",
                        "controller.quorum.voters",
                        text,
                        "listeners",
                        "PLAINTEXT://127.0.0.1:9092,BROKER://127.0.0.1:9094",
                        "listener.security.protocol.map",
                        "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
                        "inter.broker.listener.name",
                        "BROKER"))
                .quorumVoters();
    }

    @Test
    void readsVotersAsKafkaWritesThem() {
        assertThat(voters("1@a.example:9093, 2@[::1]:9094,3@10.0.0.3:9093"))
                .containsExactly(
                        new QuorumVoter(1, "a.example", 9093),
                        new QuorumVoter(2, "::1", 9094),
                        new QuorumVoter(3, "10.0.0.3", 9093));
        assertThat(voters("2@a:1")).hasSize(1);
        assertThat(voters("")).isEmpty();
        assertThat(BrokerConfig.defaults().quorumVoters()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1@a:1,2@b:2 | 1, 3 or 5 voters, not 2",
                "1@a:1,2@b:2,2@c:3 | Node 2 is named twice",
                "1@a:1,2@b:2,3@a:1 | Two voters have the address a:1",
                "1@a:1,2@b:0,3@c:3 | between 1 and 65535",
                "1@a:1,2@b:70000,3@c:3 | between 1 and 65535",
                "1@a:1,b:2,3@c:3 | id@host:port",
                "1@a:1,2@b,3@c:3 | id@host:port",
                "-1@a:1,2@b:2,3@c:3 | id@host:port"
            })
    void refusesVotersThatCannotFormAQuorum(String text, String reason) {
        assertThatThrownBy(() -> voters(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("controller.quorum.voters")
                .hasMessageContaining(reason);
    }
}
