package io.barnabas.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.BrokerProbe;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.net.FakeDispatcher;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.request.ManualTime;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.junit.jupiter.api.Test;

class ConnectingProbeTest {
    private final ManualTime time = new ManualTime();
    private final TestMetadata metadata = new TestMetadata();
    private final MemoryNetwork network = new MemoryNetwork(time, time);
    private final BrokerProbe probe = new BrokerLinks(
                    network.connector("host1"), metadata.metadata(), "BROKER", BrokerLinks.Identity.of(1), time)
            .probe();

    private void register() {
        RegisterBrokerRecord broker = new RegisterBrokerRecord()
                .setBrokerId(2)
                .setIncarnationId(new Uuid(1, 2))
                .setLogDirs(List.of(new Uuid(1, 102)));
        broker.endPoints()
                .add(new RegisterBrokerRecord.BrokerEndpoint()
                        .setName("BROKER")
                        .setHost("host2")
                        .setPort(9091));
        metadata.replay(broker);
    }

    private void listen() {
        network.listen(
                "host2",
                9091,
                "BROKER",
                new FakeDispatcher(FakeDispatcher.settings())
                        .answering(
                                (request, connection, responder) -> responder.respond(new ApiVersionsResponseData())));
    }

    private CompletableFuture<BrokerProbe.Finding> look() {
        CompletableFuture<BrokerProbe.Finding> found = probe.look(2);
        time.advance(0);
        return found;
    }

    @Test
    void who_answers_is_there_and_where_nobody_listens_it_is_gone() {
        // Given
        register();
        listen();
        // Then
        assertThat(look()).isCompletedWithValue(BrokerProbe.Finding.THERE);
        // When
        network.kill("host2");
        // Then
        assertThat(look()).isCompletedWithValue(BrokerProbe.Finding.GONE);
        // When
        listen();
        // Then
        assertThat(look()).isCompletedWithValue(BrokerProbe.Finding.THERE);
    }

    @Test
    void of_who_is_not_reached_nothing_is_known() {
        // Given
        assertThat(look()).isCompletedWithValue(BrokerProbe.Finding.UNKNOWN); // it has no address
        register();
        listen();
        network.isolate("host2", "host1");
        // When
        CompletableFuture<BrokerProbe.Finding> found = look();
        time.advance(400);
        // Then
        assertThat(found).isNotDone();
        // When
        time.advance(200);
        // Then
        assertThat(found).isCompletedWithValue(BrokerProbe.Finding.UNKNOWN);
    }
}
