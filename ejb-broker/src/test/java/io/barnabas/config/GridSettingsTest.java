package io.barnabas.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GridSettingsTest {
    private static final Map<String, String> CLUSTER = Map.of(
            "node.id",
            "2",
            "listeners",
            "PLAINTEXT://127.0.0.1:9092,BROKER://127.0.0.1:9094",
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
            "inter.broker.listener.name",
            "BROKER");

    private static BrokerConfig config(String... more) {
        Map<String, String> all = new HashMap<>(CLUSTER);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return BrokerConfig.of(all);
    }

    @Test
    void thereIsNoGridUnlessItIsAskedFor() {
        assertThat(BrokerConfig.defaults().grid()).isNull();
        assertThat(BrokerConfig.defaults().gridProperties()).isEmpty();
        assertThat(BrokerConfig.defaults().isAlone()).isTrue();
        assertThat(BrokerConfig.defaults().isOneOfSeveral()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tcpip:a.example, 10.0.0.2:7000,[::1]:7001 | true | false | a.example:6950,10.0.0.2:7000,[::1]:7001",
                "dns:grid.example | true | false | grid.example:6950",
                "multicast | false | true | ''",
                "multicast:224.9.9.9:1234 | false | true | ''"
            })
    void readsHowMembersFindEachOther(String discovery, String tcpip, String multicast, String members) {
        // When
        BrokerConfig config =
                config("barnabas.cluster.discovery", discovery, "barnabas.cluster.address", "127.0.0.1:6950");
        // Then
        assertThat(config.gridProperties())
                .containsEntry("barnabas.grid.tcpip", tcpip)
                .containsEntry("barnabas.grid.multicast", multicast)
                .containsEntry("barnabas.grid.members", members)
                .containsEntry("barnabas.grid.port", "6950")
                .containsEntry("barnabas.grid.name", "barnabas");
    }

    @Test
    void callsAtTheGroupThatIsTold() {
        assertThat(config("barnabas.cluster.discovery", "multicast:224.9.9.9:1234")
                        .gridProperties())
                .containsEntry("barnabas.grid.group", "224.9.9.9")
                .containsEntry("barnabas.grid.group.port", "1234");
    }

    @Test
    void aVoterTellsAllVotersAndABrokerThatIsNotToldSeeksThem() {
        BrokerConfig voter =
                config("barnabas.cluster.discovery", "multicast", "controller.quorum.voters", "1@a:1,2@[::1]:2,3@c:3");
        assertThat(voter.gridProperties())
                .containsEntry("barnabas.grid.voters", "1@a:1,2@[::1]:2,3@c:3")
                .containsEntry("barnabas.grid.node", "2")
                .containsEntry("barnabas.grid.seeks", "false");
        BrokerConfig observer = config("barnabas.cluster.discovery", "multicast");
        assertThat(observer.gridProperties())
                .containsEntry("barnabas.grid.voters", "")
                .containsEntry("barnabas.grid.seeks", "true");
        assertThat(observer.isAlone()).isFalse();
        assertThat(observer.isOneOfSeveral()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"tcpip", "tcpip:", "tcpip:a:0", "tcpip:a b", "dns:", "multicast:here", "kubernetes:x", "a:1"})
    void refusesWhatItDoesNotUnderstand(String discovery) {
        assertThatThrownBy(() -> config("barnabas.cluster.discovery", discovery))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("barnabas.cluster.discovery");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0:6900", "[::]:6900", "a:99999"})
    void refusesAnAddressWhereOthersCannotReachThisNode(String address) {
        assertThatThrownBy(() -> config("barnabas.cluster.discovery", "multicast", "barnabas.cluster.address", address))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("barnabas.cluster.address");
    }

    @Test
    void membersKnowEachOtherByTheClustersKeyIfThereIsOne() {
        assertThat(config("barnabas.cluster.discovery", "multicast").gridProperties())
                .doesNotContainKey("barnabas.grid.key");
        assertThat(config(
                                "barnabas.cluster.discovery",
                                "multicast",
                                "barnabas.cluster.key",
                                "/etc/barnabas/cluster.pem")
                        .gridProperties())
                .containsEntry("barnabas.grid.key", "/etc/barnabas/cluster.pem");
    }
}
