package io.barnabas.request;

/**
 * Bounds of Fetch.
 *
 * @param maxBytes most bytes of records in one answer, but for a single larger batch ({@code fetch.max.bytes})
 * @param sessionSlots most fetch sessions ({@code max.incremental.fetch.session.cache.slots})
 * @param sessionEvictionMs a session used within it gives way to a bigger one only
 */
public record FetchLimits(int maxBytes, int sessionSlots, long sessionEvictionMs) {
    /** Kafka's defaults. */
    public static FetchLimits defaults() {
        return new FetchLimits(57_671_680, 1_000, 120_000);
    }
}
