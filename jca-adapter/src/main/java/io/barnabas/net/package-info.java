/**
 * Sockets: the listeners, the pipeline of a connection, the order of its answers.
 *
 * <p>A request's way: {@link io.barnabas.net.SocketServer} accepts, {@link io.barnabas.net.ConnectionInitializer} admits and builds the
 * pipeline, {@link io.barnabas.net.FrameDecoder} cuts frames, {@link io.barnabas.net.ConnectionHandler} has them decoded by
 * {@code wire} and dispatches them, {@link io.barnabas.net.ResponseSequencer} sends the answers. All of it is on the connection's event
 * loop; only answers may come from other threads.
 *
 * <p>Memory. Frames that are not complete hold at most {@code queued.max.request.bytes} and one frame, besides one receive buffer of a
 * connection that waits for room (4 KB; up to 1 MB if its own earlier frames were as large). The same bound holds for what requests
 * keep when their frame is gone ({@link io.barnabas.port.Connection#keep}: the records of a transactional Produce that waits for a
 * coordinator, copied once to the heap); a connection that reaches it so is read no further until its own requests have given back all
 * they keep, and passes it by one frame that it could receive. Other requests that wait hold the heap objects they were decoded to, at
 * most {@code maxInFlightRequests} for each connection. Answers that a client does not take hold
 * at most the write watermark and {@code maxInFlightRequests} answers, for each connection. An idle connection holds no buffer. A
 * frame that is decoded takes at most twice its size and 100 MB of heap (see {@code FrameReader}), once for each event loop.
 */
@NullMarked
package io.barnabas.net;

import org.jspecify.annotations.NullMarked;
