package io.barnabas.port;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.net.FakeDispatcher;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The fake is one network for the tests of all: it has to behave as the real one where they look. */
class MemoryNetworkTest {
    private final ManualClock clock = new ManualClock();
    private final ManualTicker ticker = new ManualTicker(clock);
    private final MemoryNetwork network = new MemoryNetwork(clock, ticker);
    private final FakeDispatcher dispatcher = new FakeDispatcher(FakeDispatcher.settings());
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void listen() {
        dispatcher.answering((request, connection, responder) -> {
            String member = ((HeartbeatRequestData) request.body()).memberId();
            responder.respond(new HeartbeatResponseData().setThrottleTimeMs(Integer.parseInt(member)));
        });
        network.listen("b", 9092, "BROKER", dispatcher);
    }

    private void heartbeat(PeerConnection peer, int number) {
        peer.send(
                new HeartbeatRequestData().setGroupId("g").setMemberId(Integer.toString(number)),
                ApiKeys.HEARTBEAT.latestVersion(),
                1_000,
                new PeerConnection.Answer() {
                    @Override
                    public void onAnswer(ApiMessage body) {
                        told.add("answer " + ((HeartbeatResponseData) body).throttleTimeMs());
                    }

                    @Override
                    public void onFailure(RuntimeException cause) {
                        told.add(cause.getClass().getSimpleName() + " " + number);
                    }
                });
    }

    private PeerConnection connect() {
        return network.connector("a").connect("b", 9092, "a");
    }

    @Test
    void messages_take_their_time_and_keep_their_order() {
        network.delay("a", "b", 10);
        network.delay("b", "a", 5);
        PeerConnection peer = connect();
        heartbeat(peer, 1);
        heartbeat(peer, 2);
        ticker.advance(14);
        assertThat(told).isEmpty();
        ticker.advance(1);
        assertThat(told).containsExactly("answer 1", "answer 2");
    }

    @Test
    void what_was_sent_into_a_cut_arrives_when_it_is_healed_in_time() {
        PeerConnection peer = connect();
        network.cut("b", "a");
        heartbeat(peer, 1);
        ticker.advance(500);
        assertThat(told).isEmpty();
        network.heal();
        ticker.advance(0);
        assertThat(told).containsExactly("answer 1");
    }

    @Test
    void a_cut_that_lasts_is_a_time_out_and_ends_the_connection() {
        PeerConnection peer = connect();
        heartbeat(peer, 0);
        ticker.advance(0);
        network.isolate("b", "a");
        heartbeat(peer, 1);
        ticker.advance(1_000);
        network.heal();
        heartbeat(peer, 2);
        ticker.advance(0);
        assertThat(told).containsExactly("answer 0", "TimeoutException 1", "DisconnectException 2");
        assertThat(dispatcher.closedConnections).hasValue(1);
    }

    @Test
    void a_process_that_dies_closes_its_connections_and_refuses_others() {
        PeerConnection peer = connect();
        dispatcher.answering((request, connection, responder) -> {});
        heartbeat(peer, 1);
        ticker.advance(0);
        network.kill("b");
        ticker.advance(0);
        heartbeat(connect(), 2);
        ticker.advance(0);
        assertThat(told).containsExactly("DisconnectException 1", "ConnectionRefusedException 2");
        assertThat(peer.isOpen()).isFalse();
    }
}
