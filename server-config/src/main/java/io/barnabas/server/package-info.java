/** What runs in the container's process: it boots Payara Micro, deploys the broker, and says when it serves or why it cannot. */
@NullMarked
package io.barnabas.server;

import org.jspecify.annotations.NullMarked;
