package io.barnabas.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.metadata.TestMetadata;
import io.barnabas.net.FakeDispatcher;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.request.ManualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PeerControllerChannelTest {
    private static final int TIMEOUT_MS = 5_000;

    private final ManualTime time = new ManualTime();
    private final TestMetadata metadata = new TestMetadata(); // of node 1, which is the controller at first
    private final MemoryNetwork network = new MemoryNetwork(time, time);
    private final List<String> asked = new ArrayList<>();
    private Errors localAnswer = Errors.NONE;
    private final Errors[] remoteAnswer = {Errors.NONE, Errors.NONE, Errors.NONE, Errors.NONE};
    private final BrokerLinks links = new BrokerLinks(
            network.connector("host1"), metadata.metadata(), "BROKER", BrokerLinks.Identity.of(1), time);
    private final PeerControllerChannel channel = new PeerControllerChannel(
            metadata.metadata(),
            request -> {
                asked.add("1");
                return CompletableFuture.completedFuture(
                        new BrokerHeartbeatResponseData().setErrorCode(localAnswer.code()));
            },
            links,
            time,
            time);

    @BeforeEach
    void others() {
        for (int id : new int[] {2, 3}) {
            RegisterBrokerRecord broker = new RegisterBrokerRecord()
                    .setBrokerId(id)
                    .setIncarnationId(new Uuid(1, id))
                    .setLogDirs(List.of(new Uuid(1, 100 + id)));
            broker.endPoints()
                    .add(new RegisterBrokerRecord.BrokerEndpoint()
                            .setName("BROKER")
                            .setHost("host" + id)
                            .setPort(9091));
            metadata.replay(broker);
            network.listen(
                    "host" + id,
                    9091,
                    "BROKER",
                    new FakeDispatcher(FakeDispatcher.settings()).answering((request, connection, responder) -> {
                        asked.add(Integer.toString(id));
                        responder.respond(new BrokerHeartbeatResponseData().setErrorCode(remoteAnswer[id].code()));
                    }));
        }
    }

    private void controller(int node) {
        metadata.replayed().onLeader(node);
    }

    private CompletableFuture<ApiMessage> heartbeat() {
        CompletableFuture<ApiMessage> answer =
                channel.send(new BrokerHeartbeatRequestData().setBrokerId(1).setBrokerEpoch(7), TIMEOUT_MS);
        time.advance(0);
        return answer;
    }

    @Test
    void while_this_node_is_the_controller_it_is_a_call() {
        assertThat(heartbeat()).isCompleted();
        assertThat(asked).containsExactly("1");
        assertThat(time.waiting()).isZero();
    }

    @Test
    void another_controller_is_asked_over_the_network() {
        controller(2);
        assertThat(heartbeat()).isCompleted();
        assertThat(heartbeat()).isCompleted();
        assertThat(asked).containsExactly("2", "2");
    }

    @Test
    void errors_but_that_of_a_wrong_controller_are_the_callers() {
        controller(2);
        remoteAnswer[2] = Errors.STALE_BROKER_EPOCH;
        assertThat(((BrokerHeartbeatResponseData) heartbeat().join()).errorCode())
                .isEqualTo(Errors.STALE_BROKER_EPOCH.code());
    }

    @Test
    void while_none_is_known_or_reached_it_waits_and_asks_whoever_comes() {
        controller(-1);
        CompletableFuture<ApiMessage> answer = heartbeat();
        time.advance(1_000);
        assertThat(answer).isNotDone();
        // one that says it is not the controller, and one that is dead
        remoteAnswer[2] = Errors.NOT_CONTROLLER;
        controller(2);
        time.advance(500);
        assertThat(asked).contains("2");
        network.kill("host3");
        controller(3);
        time.advance(500);
        assertThat(answer).isNotDone();
        localAnswer = Errors.NOT_CONTROLLER; // elected, and not ready yet
        controller(1);
        time.advance(500);
        assertThat(answer).isNotDone();
        localAnswer = Errors.NONE;
        time.advance(200);
        assertThat(answer).isCompleted();
    }

    @Test
    void what_waits_for_a_controller_that_hangs_is_asked_of_its_successor_at_once() {
        controller(2);
        heartbeat();
        network.isolate("host2", "host1");
        CompletableFuture<ApiMessage> answer = heartbeat();
        time.advance(1_000);
        assertThat(answer).isNotDone();
        controller(3);
        time.advance(50);
        assertThat(answer).isCompleted();
        assertThat(asked).containsExactly("2", "3");
    }

    @Test
    void when_its_time_is_over_or_the_broker_stops_it_fails() {
        controller(2);
        network.isolate("host2", "host1");
        CompletableFuture<ApiMessage> late = heartbeat();
        time.advance(TIMEOUT_MS);
        assertThatThrownBy(late::join).hasCauseInstanceOf(TimeoutException.class);
        CompletableFuture<ApiMessage> cut = heartbeat();
        channel.close();
        assertThatThrownBy(cut::join).hasCauseInstanceOf(TimeoutException.class);
        assertThatThrownBy(heartbeat()::join).hasCauseInstanceOf(TimeoutException.class);
        links.close();
        time.advance(TIMEOUT_MS);
        assertThat(time.waiting()).isZero();
    }

    @Test
    void a_lost_connection_is_made_again_after_a_rest_that_grows_while_it_fails() {
        controller(2);
        heartbeat();
        network.kill("host2");
        CompletableFuture<ApiMessage> answer = heartbeat();
        time.advance(2_000);
        assertThat(answer).isNotDone();
        assertThat(asked).containsExactly("2");
        // back
        network.listen(
                "host2",
                9091,
                "BROKER",
                new FakeDispatcher(FakeDispatcher.settings())
                        .answering((request, connection, responder) ->
                                responder.respond(new BrokerHeartbeatResponseData())));
        time.advance(800);
        assertThat(answer).isCompleted();
    }
}
