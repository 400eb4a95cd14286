/** The coordinator runtime: handle, append, replay, answer. */
@NullMarked
package io.barnabas.coordinator;

import org.jspecify.annotations.NullMarked;
