package io.barnabas.request;

import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;

/** Tells where an epoch ended, so that followers and consumers find where their logs part from ours (KIP-101, 320). */
public final class OffsetForLeaderEpochHandler implements ApiHandler<OffsetForLeaderEpochRequestData> {
    private final DataPath path;

    public OffsetForLeaderEpochHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_FOR_LEADER_EPOCH;
    }

    @Override
    public void handle(OffsetForLeaderEpochRequestData request, RequestContext context, Responder responder) {
        OffsetForLeaderEpochResponseData response = new OffsetForLeaderEpochResponseData();
        for (var topic : request.topics()) {
            List<EpochEndOffset> partitions = new ArrayList<>();
            for (OffsetForLeaderPartition partition : topic.partitions()) {
                partitions.add(answer(topic.topic(), partition, context));
            }
            response.topics()
                    .mustAdd(new OffsetForLeaderTopicResult()
                            .setTopic(topic.topic())
                            .setPartitions(partitions));
        }
        responder.respond(response);
    }

    private EpochEndOffset answer(String topic, OffsetForLeaderPartition wanted, RequestContext context) {
        EpochEndOffset answer = new EpochEndOffset().setPartition(wanted.partition());
        try {
            LocalPartition partition = path.partitions().hosted(topic, wanted.partition());
            PartitionLog log = partition.logAt(wanted.currentLeaderEpoch(), true);
            EpochEnd end = partition.endOffsetFor(log, wanted.leaderEpoch());
            return answer.setLeaderEpoch(end.epoch()).setEndOffset(end.endOffset());
        } catch (RuntimeException failure) {
            return answer.setErrorCode(path.partError(context, failure).code());
        }
    }
}
