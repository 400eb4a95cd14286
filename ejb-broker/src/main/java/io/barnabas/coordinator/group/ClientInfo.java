package io.barnabas.coordinator.group;

/**
 * Who asks.
 *
 * @param version of the request
 * @param clientId as the client gave it, or empty
 * @param host the client's address, as groups show it
 */
public record ClientInfo(short version, String clientId, String host) {}
