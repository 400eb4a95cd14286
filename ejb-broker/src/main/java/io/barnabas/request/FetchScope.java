package io.barnabas.request;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which partitions one Fetch is about, and in what session.
 *
 * @param partitions all of the session's, or the request's alone
 * @param session whose lock guards the partitions; null for a request without one
 * @param expectedEpoch the session's epoch at the time of the answer, if no other request came meanwhile
 * @param mayBegin a session is made of the partitions if the cache has room
 */
record FetchScope(
        Map<FetchPartition, FetchPartition> partitions,
        @Nullable FetchSession session,
        int expectedEpoch,
        boolean mayBegin) {}
