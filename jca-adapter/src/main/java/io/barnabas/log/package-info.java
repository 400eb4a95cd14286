/** The log: segments, indexes, recovery, retention and compaction; the only package that holds a partition's files. README.md argues their safety. */
@NullMarked
package io.barnabas.log;

import org.jspecify.annotations.NullMarked;
