/** Logs, partitions and group coordinator together, over a faulty disk and a time that is set, by a seed. */
@NullMarked
package io.barnabas.simulation;

import org.jspecify.annotations.NullMarked;
