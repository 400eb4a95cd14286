/** Thin singletons: build the cores, inject, schedule, translate. */
@NullMarked
package io.barnabas.ejb;

import org.jspecify.annotations.NullMarked;
