/** Read-only views for the console and REST. */
@NullMarked
package io.barnabas.admin;

import org.jspecify.annotations.NullMarked;
