/**
 * What the launcher and the server's process both need before the container runs: the settings and where they come from, what
 * keeps a start from going on, and the mark of the process on its data directory.
 */
@NullMarked
package io.barnabas.start;

import org.jspecify.annotations.NullMarked;
