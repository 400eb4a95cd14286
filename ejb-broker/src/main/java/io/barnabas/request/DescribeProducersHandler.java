package io.barnabas.request;

import io.barnabas.log.PartitionLog.ProducerInfo;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeProducersResponseData.PartitionResponse;
import org.apache.kafka.common.message.DescribeProducersResponseData.ProducerState;
import org.apache.kafka.common.message.DescribeProducersResponseData.TopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Lists the producers that a partition's log remembers (KIP-664). */
public final class DescribeProducersHandler implements ApiHandler<DescribeProducersRequestData> {
    private final DataPath path;

    public DescribeProducersHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_PRODUCERS;
    }

    @Override
    public void handle(DescribeProducersRequestData request, RequestContext context, Responder responder) {
        DescribeProducersResponseData response = new DescribeProducersResponseData();
        Map<String, Set<Integer>> distinct = new LinkedHashMap<>(); // a partition named again is not told again
        request.topics().forEach(topic -> distinct.computeIfAbsent(topic.name(), name -> new LinkedHashSet<>())
                .addAll(topic.partitionIndexes()));
        distinct.forEach((topic, indexes) -> {
            TopicResponse answer = new TopicResponse().setName(topic);
            indexes.forEach(index -> answer.partitions().add(answer(topic, index, context)));
            response.topics().add(answer);
        });
        responder.respond(response);
    }

    private PartitionResponse answer(String topic, int index, RequestContext context) {
        PartitionResponse answer = new PartitionResponse().setPartitionIndex(index);
        try {
            Topic.validate(topic);
            LocalPartition partition = path.partitions().hosted(topic, index);
            List<ProducerState> producers = new ArrayList<>();
            for (ProducerInfo producer : partition.log().activeProducers()) {
                producers.add(new ProducerState()
                        .setProducerId(producer.producerId())
                        .setProducerEpoch(producer.producerEpoch())
                        .setLastSequence(producer.lastSequence())
                        .setLastTimestamp(producer.lastTimestamp())
                        .setCoordinatorEpoch(producer.coordinatorEpoch())
                        .setCurrentTxnStartOffset(producer.currentTransactionStartOffset()));
            }
            return answer.setActiveProducers(producers);
        } catch (RuntimeException failure) {
            Errors error = path.partError(context, failure);
            return answer.setErrorCode(error.code())
                    .setErrorMessage(error == Errors.UNKNOWN_SERVER_ERROR ? error.message() : failure.getMessage());
        }
    }
}
