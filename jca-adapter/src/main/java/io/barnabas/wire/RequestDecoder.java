package io.barnabas.wire;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Turns a frame into a {@link RequestFrame}: the frame decoder of {@code net} comes before it, the broker's dispatcher after it.
 * Every API and version that is served goes through kafka-clients' generated messages. One instance for each connection, on its event loop.
 */
public final class RequestDecoder {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Served served;
    private final FrameReader reader = new FrameReader(NOTHING);
    private final RequestHeaderData header = new RequestHeaderData();

    public RequestDecoder(Served served) {
        this.served = served;
    }

    /** Which requests are decoded at all. */
    @FunctionalInterface
    public interface Served {
        boolean serves(ApiKeys api, short version);
    }

    /**
     * Decodes one frame. An ApiVersions request of an unknown version comes back with that version and an empty body (KIP-511), a
     * {@link FormerProduce} without its records.
     *
     * @param frame the bytes after the length prefix; the frame's body keeps views of them
     * @param receivedNanos monotonic time at which the frame was complete
     * @throws MalformedRequestException if the API or version is not served, or the bytes are not a request of it
     */
    public RequestFrame decode(ByteBuffer frame, long receivedNanos) throws MalformedRequestException {
        int size = frame.remaining();
        if (size < 8) {
            throw new MalformedRequestException("a frame of " + size + " bytes holds no request header");
        }
        short key = frame.getShort(frame.position());
        short version = frame.getShort(frame.position() + 2);
        ApiKeys api = known(key, version);
        boolean supported = served.serves(api, version);
        boolean former = FormerProduce.isFormer(api, version);
        if (!supported && !former && api != ApiKeys.API_VERSIONS) {
            throw new MalformedRequestException("api " + api.name + " version " + version + " is not served");
        }
        try {
            reader.reset(frame);
            header.read(reader, api.requestHeaderVersion(version));
            ApiMessage body =
                    former ? FormerProduce.read(reader) : supported ? body(api, version) : new ApiVersionsRequestData();
            return new RequestFrame(api, version, header.correlationId(), header.clientId(), body, size, receivedNanos);
        } catch (RuntimeException e) {
            throw new MalformedRequestException("api " + api.name + " version " + version + ": " + reason(e), e);
        } finally {
            reader.reset(NOTHING);
        }
    }

    private static ApiKeys known(short key, short version) throws MalformedRequestException {
        if (!ApiKeys.hasId(key)) {
            throw new MalformedRequestException("api key " + key + " version " + version + " is unknown");
        }
        ApiKeys api = ApiKeys.forId(key);
        if (!api.hasValidVersion()) {
            throw new MalformedRequestException("api " + api.name + " is no longer part of the protocol");
        }
        return api;
    }

    private ApiMessage body(ApiKeys api, short version) {
        ApiMessage body = api.messageType.newRequest();
        body.read(reader, version); // what may follow is ignored, as by Kafka
        return body;
    }

    private static String reason(RuntimeException e) {
        if (e instanceof BufferUnderflowException) {
            return "the frame ends within the request";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
