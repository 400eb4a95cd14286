package io.barnabas.wire;

import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Turns a frame that another broker sent into the answer to a request: the frame decoder of {@code net} comes before it, who asked after
 * it. One instance for each connection, on its event loop.
 */
public final class ResponseDecoder {
    /** Fields of one answer; a fetch of 100,000 partitions has some 1,500,000. */
    private static final int READS_MAX = 10_000_000;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final FrameReader reader = new FrameReader(NOTHING, READS_MAX);
    private final ResponseHeaderData header = new ResponseHeaderData();

    /**
     * Decodes the answer to a request of this API, version and correlation id.
     *
     * @param frame the bytes after the length prefix; records and byte buffers of the answer are views of them
     * @throws MalformedResponseException if the bytes are not the answer to it
     */
    public ApiMessage decode(ByteBuffer frame, ApiKeys api, short version, int correlationId)
            throws MalformedResponseException {
        try {
            reader.reset(frame);
            header.read(reader, api.responseHeaderVersion(version));
            if (header.correlationId() != correlationId) {
                throw new MalformedResponseException("the answer to " + header.correlationId() + " came where "
                        + correlationId + " was due, of " + api.name);
            }
            ApiMessage body = api.messageType.newResponse();
            body.read(reader, version);
            return body;
        } catch (RuntimeException e) {
            throw new MalformedResponseException("no answer of " + api.name + " version " + version, e);
        } finally {
            reader.reset(NOTHING);
        }
    }
}
