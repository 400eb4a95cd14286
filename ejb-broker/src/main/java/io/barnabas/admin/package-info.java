/** Read-only views of the broker for the console and REST, and the one interface that gives them. Imports nothing of ours. */
@NullMarked
package io.barnabas.admin;

import org.jspecify.annotations.NullMarked;
