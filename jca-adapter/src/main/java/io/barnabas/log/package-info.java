/** The log: segments, indexes, recovery, retention and compaction; the only package that holds a file. */
@NullMarked
package io.barnabas.log;

import org.jspecify.annotations.NullMarked;
