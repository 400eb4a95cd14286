/** Partitions of this broker: leader or follower of one log, high watermark, waiting requests. */
@NullMarked
package io.barnabas.partition;

import org.jspecify.annotations.NullMarked;
