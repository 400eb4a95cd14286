/** The command line: {@code barnabas run|start|stop|status|topics|groups|…}. */
@NullMarked
package io.barnabas.launcher;

import org.jspecify.annotations.NullMarked;
