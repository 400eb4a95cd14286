/** The metadata as entities in a database beside the journal: for queries. The only user of an EntityManager. */
@NullMarked
package io.barnabas.metadata.jpa;

import org.jspecify.annotations.NullMarked;
