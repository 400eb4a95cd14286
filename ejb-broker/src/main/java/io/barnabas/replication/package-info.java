/** Copies: this broker as the follower of others, and the changes of the in-sync replicas of what it leads. */
@NullMarked
package io.barnabas.replication;

import org.jspecify.annotations.NullMarked;
