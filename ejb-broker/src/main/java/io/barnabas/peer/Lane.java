package io.barnabas.peer;

import org.apache.kafka.common.protocol.ApiKeys;

/**
 * What has a connection of its own to another broker. Answers come in the order of the requests, so what must not wait does not stand
 * behind what may take long.
 */
public enum Lane {
    /** That this broker lives: its end is a hint to the controller that it does not. */
    LIVENESS,
    /** Changes of partitions, directories and ids, for the controller. */
    CHANGES,
    /** Clients' requests to the controller. */
    FORWARDED,
    /** Partitions that join a transaction: a producer waits. */
    JOINS,
    /** Markers that end a transaction, each committed before it is answered. */
    MARKERS;

    /** Where a request to the controller goes. */
    static Lane toController(ApiKeys api) {
        return switch (api) {
            case BROKER_REGISTRATION, BROKER_HEARTBEAT -> LIVENESS;
            case ENVELOPE -> FORWARDED;
            default -> CHANGES;
        };
    }
}
