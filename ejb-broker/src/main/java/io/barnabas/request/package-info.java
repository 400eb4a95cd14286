/** One handler class for each Kafka API, and the one list of them. */
@NullMarked
package io.barnabas.request;

import org.jspecify.annotations.NullMarked;
