package io.barnabas.request;

import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.message.FetchRequestData;

/**
 * What a Fetch asks for as a whole.
 *
 * @param replicaId of a follower, or below 0
 * @param brokerEpoch of the follower's registration (KIP-903), or -1
 * @param readCommitted only what no open transaction can take back
 * @param toLogEnd what is not committed too (for replicas)
 * @param leaderOnly a follower may not answer
 * @param rack of a consumer; empty if it does not tell
 */
record FetchParameters(
        short version,
        int replicaId,
        long brokerEpoch,
        int maxWaitMs,
        int minBytes,
        int maxBytes,
        boolean readCommitted,
        boolean toLogEnd,
        boolean leaderOnly,
        String rack) {
    private static final int CONSUMER_REPLICA_ID = -1;
    private static final int FUTURE_LOCAL_REPLICA_ID = -3;
    private static final short FIRST_VERSION_OF_FOLLOWER_FETCH = 11;

    static FetchParameters of(FetchRequestData request, short version, FetchLimits limits) {
        int replicaId = request.replicaId() != CONSUMER_REPLICA_ID
                ? request.replicaId()
                : request.replicaState().replicaId();
        boolean consumer = replicaId < 0 && replicaId != FUTURE_LOCAL_REPLICA_ID;
        int maxBytes = Math.min(request.maxBytes(), limits.maxBytes());
        return new FetchParameters(
                version,
                replicaId,
                request.replicaState().replicaEpoch(),
                request.maxWaitMs(),
                Math.min(request.minBytes(), maxBytes),
                maxBytes,
                consumer && request.isolationLevel() == IsolationLevel.READ_COMMITTED.id(),
                !consumer,
                replicaId >= 0 || (consumer && version < FIRST_VERSION_OF_FOLLOWER_FETCH),
                request.rackId());
    }

    boolean fromFollower() {
        return replicaId >= 0;
    }
}
