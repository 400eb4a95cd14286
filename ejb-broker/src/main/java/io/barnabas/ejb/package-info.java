/** Thin singletons, and the composition root {@link io.barnabas.ejb.BrokerNode}: build the cores, inject, schedule, translate. */
@NullMarked
package io.barnabas.ejb;

import org.jspecify.annotations.NullMarked;
