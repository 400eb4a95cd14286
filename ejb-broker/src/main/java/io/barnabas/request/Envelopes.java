package io.barnabas.request;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;

/** What is in an Envelope (KIP-590): a request or its answer with the header, as on the wire, and who asked. Stateless. */
final class Envelopes {
    /** Of every request in an envelope: the envelope has its own. */
    static final int CORRELATION_ID = 0;

    /** A field of ours: the listener on which the client asked, so that it is told of addresses that it can reach. */
    private static final int LISTENER_TAG = 10_000;

    private Envelopes() {}

    static ByteBuffer request(short version, String clientId, ApiMessage body) {
        ApiKeys api = ApiKeys.forId(body.apiKey());
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(version)
                .setCorrelationId(CORRELATION_ID)
                .setClientId(clientId);
        return written(header, api.requestHeaderVersion(version), body, version);
    }

    static ByteBuffer answer(ApiKeys api, short version, int correlationId, ApiMessage body) {
        ResponseHeaderData header = new ResponseHeaderData().setCorrelationId(correlationId);
        return written(header, api.responseHeaderVersion(version), body, version);
    }

    private static ByteBuffer written(ApiMessage header, short headerVersion, ApiMessage body, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        int size = header.size(cache, headerVersion) + body.size(cache, version);
        ByteBufferAccessor bytes = new ByteBufferAccessor(ByteBuffer.allocate(size));
        header.write(bytes, cache, headerVersion);
        body.write(bytes, cache, version);
        bytes.flip();
        return bytes.buffer();
    }

    static byte[] principal(KafkaPrincipal principal) {
        return new DefaultKafkaPrincipalBuilder(null, null).serialize(principal);
    }

    /** @throws RuntimeException if these are not the bytes of one */
    static KafkaPrincipal principal(byte[] bytes) {
        return new DefaultKafkaPrincipalBuilder(null, null).deserialize(bytes);
    }

    static void setListener(EnvelopeRequestData envelope, String listener) {
        envelope.unknownTaggedFields().add(new RawTaggedField(LISTENER_TAG, listener.getBytes(StandardCharsets.UTF_8)));
    }

    /** Empty if it is not told. */
    static String listener(EnvelopeRequestData envelope) {
        List<RawTaggedField> fields = envelope.unknownTaggedFields();
        for (RawTaggedField field : fields) {
            if (field.tag() == LISTENER_TAG) {
                return new String(field.data(), StandardCharsets.UTF_8);
            }
        }
        return "";
    }
}
