/** Time as an argument: clocks, tickers and serial execution. */
@NullMarked
package io.barnabas.time;

import org.jspecify.annotations.NullMarked;
