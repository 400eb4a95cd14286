package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BrokerNodeTest {
    @Test
    void startsStopsAndStartsAgainOnTheSameDirectory() {
        try (EmbeddedBroker broker = EmbeddedBroker.start()) {
            String cluster = broker.node().metadata().clusterId();
            broker.restart();
            assertThat(broker.node().metadata().clusterId()).isEqualTo(cluster);
            broker.crash();
            assertThat(broker.node().metadata().clusterId()).isEqualTo(cluster);
        }
    }
}
