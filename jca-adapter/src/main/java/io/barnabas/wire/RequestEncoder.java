package io.barnabas.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Turns a request to another broker into what leaves the socket: a connection of {@code net} on which this broker is the client comes
 * before and after it. Records of the request are not copied. Stateless.
 */
public final class RequestEncoder {
    private static final int LENGTH_BYTES = 4;

    private final ByteBufAllocator buffers;

    public RequestEncoder(ByteBufAllocator buffers) {
        this.buffers = buffers;
    }

    /**
     * Encodes a request.
     *
     * @throws RuntimeException if the message does not fit its version, or is larger than a frame can be
     */
    public EncodedFrame encode(ApiMessage body, short version, int correlationId, String clientId) {
        ApiKeys api = ApiKeys.forId(body.apiKey());
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(version)
                .setCorrelationId(correlationId)
                .setClientId(clientId);
        short headerVersion = api.requestHeaderVersion(version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        MessageSizeAccumulator size = new MessageSizeAccumulator();
        header.addSize(size, cache, headerVersion);
        body.addSize(size, cache, version);
        if (size.totalSize() < 0) { // it is an int, and runs over
            throw new IllegalArgumentException("a request of " + api + " that is larger than a frame can be");
        }
        ByteBuf buffer = buffers.directBuffer(LENGTH_BYTES + size.sizeExcludingZeroCopy());
        FrameWriter writer = new FrameWriter(buffer, ResponseEncoder.COPY_BELOW_BYTES);
        try {
            buffer.writeInt(size.totalSize());
            header.write(writer, cache, headerVersion);
            body.write(writer, cache, version);
            return new EncodedFrame(writer.finish(), LENGTH_BYTES + size.totalSize());
        } catch (RuntimeException e) {
            writer.abandon();
            throw e;
        }
    }
}
