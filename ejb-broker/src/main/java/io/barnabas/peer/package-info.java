/** The other brokers of the cluster: connections to them by id, and what is asked of them. */
@NullMarked
package io.barnabas.peer;

import org.jspecify.annotations.NullMarked;
