package io.barnabas.wire;

import io.netty.util.ReferenceCountUtil;
import java.util.List;

/**
 * One encoded message, with its length prefix: buffers and file regions in the order in which they leave.
 *
 * @param parts each a ByteBuf or a {@link SliceRegion}; owned by who holds the frame
 * @param sizeInBytes on the wire, with the length prefix
 */
public record EncodedFrame(List<Object> parts, int sizeInBytes) {
    /** Gives everything back unsent. */
    public void release() {
        for (Object part : parts) {
            ReferenceCountUtil.safeRelease(part);
        }
    }
}
