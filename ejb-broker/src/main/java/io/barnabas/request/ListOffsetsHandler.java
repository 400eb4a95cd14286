package io.barnabas.request;

import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.TimestampOffset;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OffsetNotAvailableException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;

/**
 * Finds offsets by time or by one of the special timestamps. A search by time reads index and segment files, so it
 * is made on the threads for that; the ends of a log are told at once.
 */
public final class ListOffsetsHandler implements ApiHandler<ListOffsetsRequestData> {
    private static final short FIRST_VERSION_WITH_OFFSET_NOT_AVAILABLE = 5;
    private static final TimestampOffset NOTHING_TIERED = new TimestampOffset(-1, -1, OptionalInt.of(-1));

    private final DataPath path;

    public ListOffsetsHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_OFFSETS;
    }

    @Override
    public void handle(ListOffsetsRequestData request, RequestContext context, Responder responder) {
        if (needsScan(request)) {
            path.answerOnScan(context, responder, () -> answer(request, context));
        } else {
            responder.respond(answer(request, context));
        }
    }

    /** The ends of a log are in memory; what is at a time is in its files. */
    private static boolean needsScan(ListOffsetsRequestData request) {
        for (var topic : request.topics()) {
            for (ListOffsetsPartition partition : topic.partitions()) {
                if (partition.timestamp() >= 0 || partition.timestamp() == ListOffsetsRequest.MAX_TIMESTAMP) {
                    return true;
                }
            }
        }
        return false;
    }

    private ListOffsetsResponseData answer(ListOffsetsRequestData request, RequestContext context) {
        Set<TopicPartition> twice = duplicates(request);
        Set<TopicPartition> answered = new HashSet<>();
        ListOffsetsResponseData response = new ListOffsetsResponseData();
        for (var topic : request.topics()) {
            List<ListOffsetsPartitionResponse> partitions = new ArrayList<>();
            for (ListOffsetsPartition partition : topic.partitions()) {
                TopicPartition name = new TopicPartition(topic.name(), partition.partitionIndex());
                if (answered.add(name)) {
                    partitions.add(answer(name, partition, new Query(request, context, twice.contains(name))));
                }
            }
            response.topics()
                    .add(new ListOffsetsTopicResponse().setName(topic.name()).setPartitions(partitions));
        }
        return response;
    }

    /** What holds for all partitions of a request, and whether this one is named twice. */
    private record Query(ListOffsetsRequestData request, RequestContext context, boolean duplicate) {
        boolean fromClient() {
            return request.replicaId() == ListOffsetsRequest.CONSUMER_REPLICA_ID;
        }

        boolean leaderOnly() {
            return request.replicaId() != ListOffsetsRequest.DEBUGGING_REPLICA_ID;
        }

        boolean readCommitted() {
            return request.isolationLevel() == IsolationLevel.READ_COMMITTED.id();
        }
    }

    private static Set<TopicPartition> duplicates(ListOffsetsRequestData request) {
        Set<TopicPartition> seen = new HashSet<>();
        Set<TopicPartition> twice = new HashSet<>();
        for (var topic : request.topics()) {
            for (var partition : topic.partitions()) {
                TopicPartition name = new TopicPartition(topic.name(), partition.partitionIndex());
                if (!seen.add(name)) {
                    twice.add(name);
                }
            }
        }
        return twice;
    }

    private ListOffsetsPartitionResponse answer(TopicPartition name, ListOffsetsPartition wanted, Query query) {
        ListOffsetsPartitionResponse answer = new ListOffsetsPartitionResponse()
                .setPartitionIndex(wanted.partitionIndex())
                .setTimestamp(-1)
                .setOffset(-1);
        short version = query.context().version();
        try {
            if (query.duplicate()) {
                throw new InvalidRequestException(name + " is in the request more than once");
            }
            requireKnown(wanted.timestamp(), version);
            Optional<TimestampOffset> found = find(name, wanted, query);
            found.ifPresent(at -> {
                answer.setTimestamp(at.timestamp()).setOffset(at.offset());
                if (version >= 4) {
                    answer.setLeaderEpoch(at.leaderEpoch().orElse(-1));
                }
            });
        } catch (IOException | RuntimeException failure) {
            Errors error = path.partError(
                    query.context(),
                    failure instanceof IOException
                            ? new KafkaStorageException("Could not read " + name, failure)
                            : failure);
            boolean unknown = error == Errors.OFFSET_NOT_AVAILABLE && version < FIRST_VERSION_WITH_OFFSET_NOT_AVAILABLE;
            answer.setErrorCode((unknown ? Errors.LEADER_NOT_AVAILABLE : error).code());
        }
        return answer;
    }

    /** Each special timestamp came with a version. */
    private static void requireKnown(long timestamp, short version) {
        if (timestamp >= 0) {
            return;
        }
        int since =
                switch ((int) Math.max(timestamp, -100)) {
                    case -1, -2 -> 1;
                    case -3 -> 7; // KIP-734
                    case -4 -> 8; // KIP-405
                    case -5 -> 9; // KIP-1005
                    case -6 -> 11; // KIP-1023
                    default -> Integer.MAX_VALUE;
                };
        if (version < since) {
            throw new UnsupportedVersionException("Timestamp " + timestamp + " means nothing in version " + version);
        }
    }

    private Optional<TimestampOffset> find(TopicPartition name, ListOffsetsPartition wanted, Query query)
            throws IOException {
        LocalPartition partition = path.partitions().hosted(name.topic(), name.partition());
        PartitionLog log = partition.logAt(wanted.currentLeaderEpoch(), query.leaderOnly());
        long fetchable = !query.fromClient()
                ? log.logEndOffset()
                : query.readCommitted() ? partition.lastStableOffset() : partition.highWatermark();
        // KIP-207: a new leader that does not know the high watermark yet must not make offsets seem to go back
        boolean lagging = query.fromClient() && partition.leaderEpochStartOffset() > partition.highWatermark();
        long timestamp = wanted.timestamp();
        if (timestamp == ListOffsetsRequest.LATEST_TIMESTAMP) {
            return Optional.of(
                    new TimestampOffset(-1, atLeast(fetchable, lagging), OptionalInt.of(partition.leaderEpoch())));
        }
        if (timestamp == ListOffsetsRequest.EARLIEST_TIMESTAMP
                || timestamp == ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP) {
            long start = log.logStartOffset();
            return Optional.of(new TimestampOffset(-1, start, log.epochAt(start)));
        }
        if (timestamp == ListOffsetsRequest.LATEST_TIERED_TIMESTAMP
                || timestamp == ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP) {
            return Optional.of(NOTHING_TIERED);
        }
        Optional<TimestampOffset> found = timestamp == ListOffsetsRequest.MAX_TIMESTAMP
                ? log.maxTimestamp(log.logEndOffset())
                : log.offsetForTimestamp(timestamp, log.logEndOffset());
        if (found.isPresent() && found.get().offset() < fetchable) {
            return found;
        }
        atLeast(fetchable, lagging);
        return Optional.empty();
    }

    private static long atLeast(long offset, boolean lagging) {
        if (lagging) {
            throw new OffsetNotAvailableException("The high watermark has not reached the leader epoch's start yet");
        }
        return offset;
    }
}
