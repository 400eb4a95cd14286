package io.barnabas.log;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;

/**
 * What logs take from the outside world, so that a simulation can put its own in place.
 *
 * @param ticker tells when; the work is done on {@code threads}
 */
public record LogEnvironment(FileStore files, Clock clock, Ticker ticker, LogThreads threads) {}
