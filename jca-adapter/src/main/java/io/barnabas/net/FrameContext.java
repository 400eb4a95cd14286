package io.barnabas.net;

import io.barnabas.time.Clock;

/**
 * What all connections of one side share that frames are received with: the server's, or those to other brokers. Safe from any thread.
 *
 * @param maxFrameBytes a longer frame closes its connection
 */
record FrameContext(int maxFrameBytes, Clock clock, FrameBudget budget, LogLimit logLimit) {}
