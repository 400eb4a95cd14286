/** Configuration under Kafka's own key names: definitions, defaults, validation. */
@NullMarked
package io.barnabas.config;

import org.jspecify.annotations.NullMarked;
