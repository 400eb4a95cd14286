/** What the members of the data grid tell: who votes, who has left, who should be the controller. It grants nothing. */
@NullMarked
package io.barnabas.grid;

import org.jspecify.annotations.NullMarked;
