package io.barnabas.partition;

/**
 * What a follower's fetch says of one partition.
 *
 * @param brokerEpoch of the follower's registration (KIP-903), or -1
 * @param offset it has everything before
 * @param logStartOffset of the follower's log
 * @param leaderEpoch that it follows, or -1
 * @param lastEpoch of its last batch, or -1
 */
public record FollowerFetch(
        int brokerId, long brokerEpoch, long offset, long logStartOffset, int leaderEpoch, int lastEpoch) {}
