/** Cluster metadata: an immutable image, a controller, the journal between them. */
@NullMarked
package io.barnabas.metadata;

import org.jspecify.annotations.NullMarked;
