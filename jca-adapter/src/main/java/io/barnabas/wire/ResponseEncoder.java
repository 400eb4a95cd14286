package io.barnabas.wire;

import io.barnabas.log.LogSlice;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Turns a response message into what leaves the socket: the response sequencer of {@code net} comes before and after it. The size is
 * known before the first byte is written, so one buffer holds all but the records, which leave from the file. Stateless.
 */
public final class ResponseEncoder {
    /** Slices below are read into the response's buffer; from here on they are sent from the file. */
    public static final int COPY_BELOW_BYTES = 32 * 1024;

    /**
     * An answer may have so many bytes beside the records of a Fetch (those are bounded by its limits and leave from the file). Far above
     * the largest honest one, a full listing of a large cluster; an answer beyond it comes of a request that asks for the same again and again.
     */
    public static final int BYTES_MAX = 100 << 20;

    private static final int LENGTH_BYTES = 4;

    private final ByteBufAllocator buffers;

    public ResponseEncoder(ByteBufAllocator buffers) {
        this.buffers = buffers;
    }

    /**
     * Encodes an answer. Slices of the body belong to the answer from here on, also when this throws.
     *
     * @throws AnswerTooLargeException if it would have more than {@link #BYTES_MAX} without records
     * @throws RuntimeException if the message does not fit its version, or a slice cannot be read
     */
    public EncodedFrame encode(ApiKeys api, short version, int correlationId, ApiMessage body) {
        ResponseHeaderData header = new ResponseHeaderData().setCorrelationId(correlationId);
        short headerVersion = api.responseHeaderVersion(version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        MessageSizeAccumulator size = new MessageSizeAccumulator();
        header.addSize(size, cache, headerVersion);
        body.addSize(size, cache, version);
        int total = size.totalSize();
        if (size.sizeExcludingZeroCopy() > BYTES_MAX
                || size.sizeExcludingZeroCopy() < 0) { // it is an int, and runs over
            release(body);
            throw new AnswerTooLargeException(api, size.sizeExcludingZeroCopy());
        }
        ByteBuf buffer = buffers.directBuffer(LENGTH_BYTES + size.sizeExcludingZeroCopy() + copied(size));
        FrameWriter writer = new FrameWriter(buffer, COPY_BELOW_BYTES);
        try {
            buffer.writeInt(total);
            header.write(writer, cache, headerVersion);
            body.write(writer, cache, version);
            return new EncodedFrame(writer.finish(), LENGTH_BYTES + total);
        } catch (RuntimeException e) {
            writer.abandon();
            release(body);
            throw e;
        }
    }

    /** Gives back the slices of an answer that will not be sent; only Fetch answers have any. Releasing twice does nothing. */
    private static void release(ApiMessage body) {
        if (body instanceof FetchResponseData fetch) {
            for (FetchableTopicResponse topic : fetch.responses()) {
                for (PartitionData partition : topic.partitions()) {
                    if (partition.records() instanceof LogSlice slice) {
                        slice.release();
                    }
                }
            }
        }
    }

    private static int copied(MessageSizeAccumulator size) {
        int records = size.totalSize() - size.sizeExcludingZeroCopy();
        return records < COPY_BELOW_BYTES ? records : 0;
    }
}
