package io.barnabas.request;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.wire.RequestFrame;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * The handlers of metadata and administration over metadata in memory. Requests are written and read back in their version, answers
 * too, as on the wire.
 */
final class ControlPlaneFixture {
    final TestMetadata metadata = new TestMetadata();
    final ManualTime ticker = new ManualTime();
    final LiveConfig config;
    final ControlPlane plane;
    final HandlerRegistry handlers;
    final Set<Integer> silent = new HashSet<>();
    private final AtomicLong producerIds = new AtomicLong(7000);

    ControlPlaneFixture() {
        this(Map.of(), Policies.NONE);
    }

    ControlPlaneFixture(Map<String, String> given, Policies policies) {
        this(given, policies, AtTheController.nothingIsForwarded());
    }

    ControlPlaneFixture(Map<String, String> given, Policies policies, Forwarder forwarder) {
        config = new LiveConfig(BrokerConfig.of(given));
        plane = new ControlPlane(
                TestMetadata.NODE_ID,
                metadata.metadata(),
                metadata.controller(),
                forwarder,
                config,
                ControlPlane.Rules.of(config, policies, new Random(1)),
                () -> CompletableFuture.completedFuture(producerIds.getAndIncrement()),
                listener -> 9092,
                new ControlPlane.Time(ticker, ticker));
        handlers = new HandlerRegistry().add(ControlHandlers.of(plane, new AutoTopicCreation(plane), () -> silent));
        metadata.metadata()
                .onChange((change, image) -> config.update(
                        image.config(new ConfigResource(ConfigResource.Type.BROKER, "")),
                        image.config(new ConfigResource(ConfigResource.Type.BROKER, "1"))));
    }

    /** Sends a request in a version; the answer has gone over the wire. */
    <T extends ApiMessage> T send(ApiKeys api, int version, ApiMessage request, Class<T> type) {
        return type.cast(send(api, (short) version, request));
    }

    /** The same in the latest version. */
    <T extends ApiMessage> T send(ApiKeys api, ApiMessage request, Class<T> type) {
        return type.cast(send(api, api.latestVersion(false), request));
    }

    @SuppressWarnings("unchecked") // the registry gives the handler of the api, and the request is the api's
    private ApiMessage send(ApiKeys api, short version, ApiMessage request) {
        ApiMessage received = api.messageType.newRequest();
        received.read(MessageUtil.toByteBufferAccessor(request, version), version);
        RecordedAnswer answer = new RecordedAnswer();
        RequestFrame frame = new RequestFrame(api, version, 1, "test", received, 1, 0);
        RequestContext context = new RequestContext(frame, new TestConnection(1));
        ApiHandler<ApiMessage> handler = (ApiHandler<ApiMessage>) handlers.handler(api, version, "PLAINTEXT");
        if (handler == null) {
            throw new AssertionError(api + " " + version + " is not served");
        }
        try {
            handler.handle(received, context, answer);
        } catch (RuntimeException e) {
            ErrorResponses.answer(context, e, answer);
        }
        ByteBufferAccessor bytes = answer.bytes(version);
        ApiMessage response = api.messageType.newResponse();
        response.read(bytes, version);
        if (bytes.remaining() != 0) {
            throw new AssertionError("bytes left of " + response);
        }
        return response;
    }

    void createTopic(String name, int partitions) {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics()
                .add(new CreatableTopic()
                        .setName(name)
                        .setNumPartitions(partitions)
                        .setReplicationFactor((short) 1));
        short error = send(ApiKeys.CREATE_TOPICS, request, CreateTopicsResponseData.class)
                .topics()
                .find(name)
                .errorCode();
        if (error != 0) {
            throw new AssertionError("error " + error);
        }
    }
}
