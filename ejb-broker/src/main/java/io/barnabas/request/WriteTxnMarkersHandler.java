package io.barnabas.request;

import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.transaction.MarkerWriter;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerPartitionResult;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerResult;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData.WritableTxnMarkerTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/**
 * WriteTxnMarkers 1–2: the ends of transactions, from a coordinator on another broker, or from an operator who aborts one that nobody
 * ends (KIP-664).
 */
final class WriteTxnMarkersHandler implements ApiHandler<WriteTxnMarkersRequestData> {
    private final MarkerWriter markers;

    WriteTxnMarkersHandler(MarkerWriter markers) {
        this.markers = markers;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.WRITE_TXN_MARKERS;
    }

    @Override
    public void handle(WriteTxnMarkersRequestData request, RequestContext context, Responder responder) {
        WriteTxnMarkersResponseData response = new WriteTxnMarkersResponseData();
        List<CompletableFuture<?>> writes = new ArrayList<>();
        for (WritableTxnMarker marker : request.markers()) {
            response.markers().add(write(marker, context, writes));
        }
        GroupResponses.respond(
                CompletableFuture.allOf(writes.toArray(new CompletableFuture<?>[0]))
                        .thenApply(all -> response),
                context,
                responder);
    }

    private WritableTxnMarkerResult write(
            WritableTxnMarker of, RequestContext context, List<CompletableFuture<?>> writes) {
        TransactionMarker marker = new TransactionMarker(
                of.producerId(),
                of.producerEpoch(),
                of.coordinatorEpoch(),
                of.transactionResult(),
                of.transactionVersion());
        WritableTxnMarkerResult result = new WritableTxnMarkerResult().setProducerId(of.producerId());
        of.topics().forEach(topic -> {
            WritableTxnMarkerTopicResult answered = new WritableTxnMarkerTopicResult().setName(topic.name());
            result.topics().add(answered);
            topic.partitionIndexes().forEach(index -> {
                WritableTxnMarkerPartitionResult partition =
                        new WritableTxnMarkerPartitionResult().setPartitionIndex(index);
                answered.partitions().add(partition);
                writes.add(markers.write(new TopicPartition(topic.name(), index), marker)
                        .handle((nothing, failure) -> partition.setErrorCode(
                                failure == null
                                        ? Errors.NONE.code()
                                        : ErrorResponses.partError(context, failure)
                                                .code()))
                        .toCompletableFuture());
            });
        });
        return result;
    }
}
