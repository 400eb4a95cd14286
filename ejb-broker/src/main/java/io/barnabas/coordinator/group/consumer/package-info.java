/** KIP-848 groups: their state, and the pure rules that decide on it. Imports nothing of the classic groups. */
@org.jspecify.annotations.NullMarked
package io.barnabas.coordinator.group.consumer;
