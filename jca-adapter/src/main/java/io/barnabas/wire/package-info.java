/** Frames to messages and back, with kafka-clients' message classes. */
@NullMarked
package io.barnabas.wire;

import org.jspecify.annotations.NullMarked;
