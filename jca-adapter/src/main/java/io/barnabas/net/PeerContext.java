package io.barnabas.net;

import io.barnabas.wire.RequestEncoder;
import java.util.Set;

/**
 * What all connections to other brokers share. Safe from any thread.
 *
 * @param open every connection that has not failed
 */
record PeerContext(PeerBounds bounds, FrameContext frames, RequestEncoder encoder, Set<PeerChannel> open) {}
