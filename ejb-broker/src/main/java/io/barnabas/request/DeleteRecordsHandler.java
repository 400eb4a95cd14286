package io.barnabas.request;

import io.barnabas.log.LogConfig;
import io.barnabas.log.PartitionLog;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * Moves the log start offsets of partitions up (KIP-107), and answers when the followers have done so too. On a worker: it may drop
 * segments.
 */
public final class DeleteRecordsHandler implements ApiHandler<DeleteRecordsRequestData> {
    private static final long HIGH_WATERMARK = -1;
    /** So many wait for followers at most; those beyond are told that their time is over. */
    private static final int WAITING_MAX = 1_000;
    /** No request waits longer, whatever it asks for. */
    private static final int WAIT_MS_MAX = 300_000;

    private final DataPath path;
    private final AtomicInteger waiting = new AtomicInteger();

    public DeleteRecordsHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_RECORDS;
    }

    @Override
    public void handle(DeleteRecordsRequestData request, RequestContext context, Responder responder) {
        path.runOnScan(context, responder, () -> {
            DeleteRecordsResponseData response = new DeleteRecordsResponseData();
            DelayedDeletion deletion = new DelayedDeletion(
                    () -> {
                        waiting.decrementAndGet();
                        responder.respond(response);
                    },
                    error -> path.metrics().of(ApiKeys.DELETE_RECORDS).onError(error));
            for (var topic : request.topics()) {
                DeleteRecordsTopicResult result = new DeleteRecordsTopicResult().setName(topic.name());
                for (DeleteRecordsPartition partition : topic.partitions()) {
                    DeleteRecordsPartitionResult answer =
                            new DeleteRecordsPartitionResult().setPartitionIndex(partition.partitionIndex());
                    result.partitions().add(answer);
                    delete(topic.name(), partition, deletion, answer, context);
                }
                response.topics().add(result);
            }
            int timeoutMs = Math.min(WAIT_MS_MAX, request.timeoutMs());
            return () -> deletion.begin(path, waiting.incrementAndGet() > WAITING_MAX ? 0 : timeoutMs);
        });
    }

    private void delete(
            String topic,
            DeleteRecordsPartition wanted,
            DelayedDeletion deletion,
            DeleteRecordsPartitionResult answer,
            RequestContext context) {
        try {
            LocalPartition partition = path.partitions().hosted(topic, wanted.partitionIndex());
            long offset = delete(topic, wanted, partition);
            answer.setLowWatermark(partition.followers().lowWatermark());
            if (answer.lowWatermark() < offset) {
                deletion.await(partition, offset, answer);
                partition.followers().onLogStart();
            }
        } catch (RuntimeException failure) {
            answer.setLowWatermark(-1)
                    .setErrorCode(path.partError(context, failure).code());
        }
    }

    /** Returns below which offset all is gone here. */
    private static long delete(String topic, DeleteRecordsPartition wanted, LocalPartition partition) {
        if (Topic.isInternal(topic)) {
            throw new InvalidTopicException("Cannot delete records of internal topic " + topic);
        }
        PartitionLog log = partition.logAt(LocalPartition.ANY_EPOCH, true);
        LogConfig config = log.config();
        if (config.compact() && !config.delete()) {
            throw new PolicyViolationException("cleanup.policy of " + topic + " does not have delete");
        }
        long offset = wanted.offset() == HIGH_WATERMARK ? partition.highWatermark() : wanted.offset();
        if (offset < 0 || offset > partition.highWatermark()) {
            throw new OffsetOutOfRangeException("Offset " + offset + " is not between 0 and the high watermark");
        }
        log.deleteRecordsBefore(offset);
        return offset;
    }
}
