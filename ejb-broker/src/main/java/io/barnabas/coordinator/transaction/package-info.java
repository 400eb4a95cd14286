/** The transaction coordinator: transactional ids, their producers and their transactions, over {@code __transaction_state}. */
@NullMarked
package io.barnabas.coordinator.transaction;

import org.jspecify.annotations.NullMarked;
