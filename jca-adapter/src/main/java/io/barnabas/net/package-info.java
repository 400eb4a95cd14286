/** Sockets: the listeners, the pipeline of a connection, the order of its answers. */
@NullMarked
package io.barnabas.net;

import org.jspecify.annotations.NullMarked;
