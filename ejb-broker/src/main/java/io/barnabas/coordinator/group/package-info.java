/** The group coordinator: classic groups and committed offsets, on the coordinator runtime. */
@NullMarked
package io.barnabas.coordinator.group;

import org.jspecify.annotations.NullMarked;
