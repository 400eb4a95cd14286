/** The seam between the resource adapter and the broker: see {@link io.barnabas.port.BrokerPort}. */
@NullMarked
package io.barnabas.port;

import org.jspecify.annotations.NullMarked;
