package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.TestMetadata;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.Responder;
import io.barnabas.wire.RequestFrame;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** What is served where: brokers have a listener for each other, and clients are told nothing of what only it serves. */
class ListenersTest {
    private static final ApiKeys HEARTBEAT = ApiKeys.BROKER_HEARTBEAT;
    private final TestMetadata metadata = new TestMetadata();
    private final ManualTime time = new ManualTime();

    private static final class Heartbeats implements ApiHandler<BrokerHeartbeatRequestData> {
        @Override
        public ApiKeys api() {
            return HEARTBEAT;
        }

        @Override
        public boolean interBrokerOnly() {
            return true;
        }

        @Override
        public void handle(BrokerHeartbeatRequestData request, RequestContext context, Responder responder) {
            assertThat(context.interBroker()).isTrue();
            responder.respond(new BrokerHeartbeatResponseData());
        }
    }

    private HandlerDispatcher dispatcher(HandlerRegistry handlers) {
        handlers.add(new Heartbeats())
                .add(new ApiVersionsHandler(handlers, metadata.metadata(), TestMetadata.NODE_ID, Map.of()));
        return new HandlerDispatcher(
                () -> new ListenerSettings(List.of(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                handlers,
                new HandlerDispatcher.Measures(new RequestMetrics(), time),
                List.of(),
                () -> {});
    }

    private static RecordedAnswer send(
            HandlerDispatcher broker, TestConnection from, ApiKeys api, short version, ApiMessage body) {
        RecordedAnswer answer = new RecordedAnswer();
        broker.dispatch(new RequestFrame(api, version, 1, "test", body, 1, 0), from, answer);
        return answer;
    }

    private static List<Short> told(HandlerDispatcher broker, TestConnection from) {
        ApiVersionsResponseData answer = send(
                        broker, from, ApiKeys.API_VERSIONS, (short) 0, new ApiVersionsRequestData())
                .body(ApiVersionsResponseData.class);
        return answer.apiKeys().stream()
                .map(ApiVersionsResponseData.ApiVersion::apiKey)
                .toList();
    }

    @Test
    void what_brokers_ask_of_each_other_is_served_and_told_on_their_listener_alone() {
        // Given a broker with a listener for others
        HandlerDispatcher broker = dispatcher(new HandlerRegistry("BROKER"));
        TestConnection client = new TestConnection(1, "PLAINTEXT");
        TestConnection peer = new TestConnection(2, "BROKER");
        // Then another broker is served
        assertThat(broker.serves(HEARTBEAT, (short) 1, "BROKER")).isTrue();
        assertThat(told(broker, peer)).containsExactly(ApiKeys.API_VERSIONS.id, HEARTBEAT.id);
        assertThat(send(broker, peer, HEARTBEAT, (short) 1, new BrokerHeartbeatRequestData())
                        .body(BrokerHeartbeatResponseData.class))
                .isNotNull();
        // And a client neither hears of it nor gets through
        assertThat(broker.serves(HEARTBEAT, (short) 1, "PLAINTEXT")).isFalse();
        assertThat(told(broker, client)).containsExactly(ApiKeys.API_VERSIONS.id);
        assertThat(send(broker, client, HEARTBEAT, (short) 1, new BrokerHeartbeatRequestData())
                        .closed())
                .isTrue();
    }

    @Test
    void a_broker_alone_serves_none_of_it() {
        HandlerDispatcher broker = dispatcher(new HandlerRegistry());
        assertThat(broker.serves(HEARTBEAT, (short) 1, "PLAINTEXT")).isFalse();
    }

    @Test
    void a_client_that_fetches_as_a_replica_is_refused() {
        FetchRequestData asReplica = new FetchRequestData()
                .setMaxBytes(1)
                .setReplicaState(
                        new FetchRequestData.ReplicaState().setReplicaId(2).setReplicaEpoch(1));
        FetchResponseData answer =
                new DataPathFixture().send(ApiKeys.FETCH, 17, asReplica).body(FetchResponseData.class);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.CLUSTER_AUTHORIZATION_FAILED);
    }
}
