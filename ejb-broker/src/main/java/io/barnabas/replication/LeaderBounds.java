package io.barnabas.replication;

import java.util.List;
import java.util.function.LongConsumer;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A follower whose offset the leader does not have: asks where the leader's log ends, and if not before ours, where it begins. A log that
 * goes on behind the leader's end is cut there (an unclean election); one that ends before the leader's start begins anew at that.
 *
 * <p>On the event loop of the connection; the log is changed by a worker.
 */
final class LeaderBounds {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderBounds.class);

    private final ReplicaFetcher fetcher;
    private final FollowedPartition partition;
    private final int brokerId;
    private final int timeoutMs;

    LeaderBounds(ReplicaFetcher fetcher, FollowedPartition partition, int brokerId, int timeoutMs) {
        this.fetcher = fetcher;
        this.partition = partition;
        this.brokerId = brokerId;
        this.timeoutMs = timeoutMs;
    }

    void ask() {
        ask(ListOffsetsRequest.LATEST_TIMESTAMP, this::onEnd);
    }

    private void onEnd(long leadersEnd) {
        long end = partition.local.log().logEndOffset();
        if (leadersEnd < end) {
            LOG.warn(
                    "the leader's log ends before ours, which is cut; partition={} end={} leadersEnd={}",
                    partition,
                    end,
                    leadersEnd);
            fetcher.change(partition, () -> partition.local.following().truncateTo(leadersEnd, partition.epoch));
        } else {
            ask(ListOffsetsRequest.EARLIEST_TIMESTAMP, this::onStart);
        }
    }

    private void onStart(long leadersStart) {
        long end = partition.local.log().logEndOffset();
        if (leadersStart > end) {
            LOG.info(
                    "the leader's log begins behind our end, ours begins anew; partition={} end={} leadersStart={}",
                    partition,
                    end,
                    leadersStart);
            fetcher.change(partition, () -> partition.local.following().restartAt(leadersStart, partition.epoch));
        } else {
            fetcher.later(partition); // it fits by now
        }
    }

    private void ask(long timestamp, LongConsumer onOffset) {
        ListOffsetsRequestData request = new ListOffsetsRequestData()
                .setReplicaId(brokerId)
                .setTopics(List.of(new ListOffsetsTopic()
                        .setName(partition.topic())
                        .setPartitions(List.of(new ListOffsetsPartition()
                                .setPartitionIndex(partition.key.index())
                                .setCurrentLeaderEpoch(partition.epoch)
                                .setTimestamp(timestamp)))));
        new LeaderAnswer<>(
                        ListOffsetsResponseData.class,
                        answer -> onAnswer(answer, onOffset),
                        failure -> fetcher.later(partition))
                .ask(fetcher.connection(), request, timeoutMs);
    }

    private void onAnswer(ListOffsetsResponseData answer, LongConsumer onOffset) {
        if (answer.topics().isEmpty() || answer.topics().get(0).partitions().isEmpty()) {
            fetcher.later(partition);
            return;
        }
        ListOffsetsPartitionResponse found = answer.topics().get(0).partitions().get(0);
        Errors error = Errors.forCode(found.errorCode());
        if (error != Errors.NONE || !partition.local.online()) {
            LOG.info("the leader does not tell its bounds; partition={} error={}", partition, error);
            fetcher.later(partition);
        } else {
            onOffset.accept(found.offset());
        }
    }
}
