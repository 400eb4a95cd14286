/** The resource adapter: the container's life cycle of sockets and log, and the doorbell that starts the broker. */
@NullMarked
package io.barnabas.ra;

import org.jspecify.annotations.NullMarked;
