package io.barnabas.wire;

import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * One decoded request.
 *
 * <p>Byte buffers and records inside {@code body} are views of the connection's receive buffer: they are valid only until
 * {@link io.barnabas.port.RequestDispatcher#dispatch} returns. Strings and byte arrays are copies and stay valid.
 *
 * @param sizeInBytes the frame's size on the wire, without its length prefix
 * @param receivedNanos monotonic time at which the frame was complete
 */
public record RequestFrame(
        ApiKeys api,
        short version,
        int correlationId,
        @Nullable String clientId,
        ApiMessage body,
        int sizeInBytes,
        long receivedNanos) {}
