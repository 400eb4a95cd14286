package io.barnabas.request;

import io.barnabas.log.LogConfig;
import io.barnabas.log.PartitionLog;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
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

/** Moves the log start offsets of partitions up (KIP-107). On a worker: it may drop segments. */
public final class DeleteRecordsHandler implements ApiHandler<DeleteRecordsRequestData> {
    private static final long HIGH_WATERMARK = -1;

    private final DataPath path;

    public DeleteRecordsHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_RECORDS;
    }

    @Override
    public void handle(DeleteRecordsRequestData request, RequestContext context, Responder responder) {
        path.answerOnScan(context, responder, () -> {
            DeleteRecordsResponseData response = new DeleteRecordsResponseData();
            for (var topic : request.topics()) {
                DeleteRecordsTopicResult result = new DeleteRecordsTopicResult().setName(topic.name());
                for (DeleteRecordsPartition partition : topic.partitions()) {
                    result.partitions().add(answer(topic.name(), partition, context));
                }
                response.topics().add(result);
            }
            return response;
        });
    }

    private DeleteRecordsPartitionResult answer(String topic, DeleteRecordsPartition wanted, RequestContext context) {
        DeleteRecordsPartitionResult answer =
                new DeleteRecordsPartitionResult().setPartitionIndex(wanted.partitionIndex());
        try {
            return answer.setLowWatermark(delete(topic, wanted));
        } catch (RuntimeException failure) {
            return answer.setLowWatermark(-1)
                    .setErrorCode(path.partError(context, failure).code());
        }
    }

    private long delete(String topic, DeleteRecordsPartition wanted) {
        LocalPartition partition = path.partitions().hosted(topic, wanted.partitionIndex());
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
        return log.deleteRecordsBefore(offset);
    }
}
