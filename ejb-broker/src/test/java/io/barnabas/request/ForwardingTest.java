package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.ControllerChannel;
import io.barnabas.metadata.Policies;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.Responder;
import io.barnabas.wire.RequestFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.junit.jupiter.api.Test;

/** Two nodes: the controller, and one that clients have reached instead. */
class ForwardingTest {
    private final ControlPlaneFixture controller = new ControlPlaneFixture();
    private final List<String> askers = new ArrayList<>();
    private boolean deposed;
    private final HandlerRegistry served = new HandlerRegistry("BROKER")
            .add(ControlHandlers.of(controller.plane, new AutoTopicCreation(controller.plane), Set::of));
    private final EnvelopeHandler envelopes = new EnvelopeHandler(served, () -> !deposed);
    private ControllerChannel channel =
            (request, timeoutMs) -> envelopes.answer(overTheWire((EnvelopeRequestData) request));
    private final Forwarder forwarder =
            new Forwarder((request, timeoutMs) -> channel.send(request, timeoutMs), () -> false, 30_000);
    private final ControlPlaneFixture other = new ControlPlaneFixture(Map.of(), Policies.NONE, forwarder);
    private final HandlerDispatcher reached = new HandlerDispatcher(
                    () -> new ListenerSettings(List.of(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                    new HandlerRegistry()
                            .add(ControlHandlers.of(other.plane, new AutoTopicCreation(other.plane), Set::of)),
                    new HandlerDispatcher.Measures(new RequestMetrics(), other.ticker),
                    List.of(),
                    () -> {})
            .forwarding(forwarder);

    private static EnvelopeRequestData overTheWire(EnvelopeRequestData envelope) {
        ByteBufferAccessor bytes = MessageUtil.toByteBufferAccessor(envelope, (short) 0);
        return new EnvelopeRequestData(bytes, (short) 0);
    }

    private <T extends ApiMessage> T send(ApiKeys api, ApiMessage body, Class<T> type) {
        RecordedAnswer answer = new RecordedAnswer();
        short version = api.latestVersion(false);
        reached.dispatch(new RequestFrame(api, version, 7, "admin", body, 1, 0), new TestConnection(1), answer);
        return answer.body(type);
    }

    private static CreateTopicsRequestData topic(String name) {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(1_000);
        request.topics()
                .add(new CreatableTopic().setName(name).setNumPartitions(2).setReplicationFactor((short) 1));
        return request;
    }

    @Test
    void a_change_is_made_by_the_controller_whichever_node_is_asked() {
        CreateTopicsResponseData answer = send(ApiKeys.CREATE_TOPICS, topic("t"), CreateTopicsResponseData.class);
        assertThat(answer.topics()).singleElement().satisfies(topic -> {
            assertThat(topic.errorCode()).isZero();
            assertThat(topic.numPartitions()).isEqualTo(2);
        });
        assertThat(controller.metadata.image().topic("t")).isNotNull();
        assertThat(other.metadata.image().topic("t")).isNull();
    }

    @Test
    void the_controller_sees_who_asked_and_from_where() {
        // Given a handler that notes who asks
        HandlerRegistry noting = new HandlerRegistry("BROKER").add(new ApiHandler<UnregisterBrokerRequestData>() {
            @Override
            public ApiKeys api() {
                return ApiKeys.UNREGISTER_BROKER;
            }

            @Override
            public void handle(UnregisterBrokerRequestData request, RequestContext context, Responder responder) {
                askers.add(context.principal() + " " + context.clientHost() + " " + context.clientId() + " "
                        + context.listenerName() + " " + context.forwarded() + " " + context.interBroker());
                responder.respond(new UnregisterBrokerResponseData());
            }
        });
        EnvelopeHandler noted = new EnvelopeHandler(noting, () -> true);
        channel = (request, timeoutMs) -> noted.answer(overTheWire((EnvelopeRequestData) request));
        send(
                ApiKeys.UNREGISTER_BROKER,
                new UnregisterBrokerRequestData().setBrokerId(3),
                UnregisterBrokerResponseData.class);
        assertThat(askers).containsExactly("User:ANONYMOUS /127.0.0.1 admin PLAINTEXT true false");
    }

    @Test
    void settings_are_checked_where_they_apply_and_kept_by_the_controller() {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        request.resources().add(resource(ConfigResource.Type.BROKER_LOGGER, "1", "root", "INFO"));
        request.resources().add(resource(ConfigResource.Type.BROKER, "1", "log.retention.ms", "5000"));
        request.resources().add(resource(ConfigResource.Type.BROKER, "2", "log.retention.ms", "5000"));
        IncrementalAlterConfigsResponseData answer =
                send(ApiKeys.INCREMENTAL_ALTER_CONFIGS, request, IncrementalAlterConfigsResponseData.class);
        assertThat(answer.responses())
                .extracting(each -> Errors.forCode(each.errorCode()))
                .containsExactly(Errors.NONE, Errors.NONE, Errors.INVALID_REQUEST);
        assertThat(controller.metadata.image().config(new ConfigResource(ConfigResource.Type.BROKER, "1")))
                .containsEntry("log.retention.ms", "5000");
    }

    private static AlterConfigsResource resource(ConfigResource.Type type, String name, String key, String value) {
        AlterConfigsResource resource =
                new AlterConfigsResource().setResourceType(type.id()).setResourceName(name);
        resource.configs()
                .add(new AlterableConfig().setName(key).setValue(value).setConfigOperation((byte) 0));
        return resource;
    }

    @Test
    void topics_are_made_on_demand_by_the_controller_too() {
        new AutoTopicCreation(other.plane).create(Set.of("wanted"));
        assertThat(controller.metadata.image().topic("wanted")).isNotNull();
    }

    @Test
    void without_a_controller_in_time_the_client_is_told_that_it_took_too_long() {
        channel = (request, timeoutMs) -> CompletableFuture.failedFuture(new TimeoutException("nobody"));
        CreateTopicsResponseData answer = send(ApiKeys.CREATE_TOPICS, topic("t"), CreateTopicsResponseData.class);
        assertThat(Errors.forCode(answer.topics().iterator().next().errorCode()))
                .isEqualTo(Errors.REQUEST_TIMED_OUT);
    }

    @Test
    void who_is_not_the_controller_sends_the_envelope_back() {
        EnvelopeRequestData envelope = envelope(topic("t"));
        deposed = true;
        assertThat(error(envelope)).isEqualTo(Errors.NOT_CONTROLLER);
        // also if that shows only in the answer
        deposed = false;
        controller.metadata.replayed().onLeader(9);
        assertThat(error(envelope)).isEqualTo(Errors.NOT_CONTROLLER);
    }

    @Test
    void an_envelope_with_something_else_in_it_is_refused() {
        assertThat(error(envelope(new org.apache.kafka.common.message.MetadataRequestData())))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(envelope(topic("t")).setClientHostAddress(new byte[3])))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(envelope(topic("t")).setRequestPrincipal(new byte[] {1})))
                .isEqualTo(Errors.PRINCIPAL_DESERIALIZATION_FAILURE);
    }

    private static EnvelopeRequestData envelope(ApiMessage body) {
        short version = ApiKeys.forId(body.apiKey()).latestVersion(false);
        return new EnvelopeRequestData()
                .setRequestData(Envelopes.request(version, "admin", body))
                .setRequestPrincipal(
                        Envelopes.principal(org.apache.kafka.common.security.auth.KafkaPrincipal.ANONYMOUS))
                .setClientHostAddress(new byte[] {127, 0, 0, 1});
    }

    private Errors error(EnvelopeRequestData envelope) {
        return Errors.forCode(
                ((EnvelopeResponseData) envelopes.answer(overTheWire(envelope)).join()).errorCode());
    }
}
