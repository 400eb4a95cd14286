package io.barnabas.peer;

import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.transaction.MarkerWriter;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.PartitionImage;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.LeaderNotAvailableException;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.message.WriteTxnMarkersResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Writes the ends of transactions to the leaders of their partitions: here, or by WriteTxnMarkers to the brokers that lead them, those of
 * many transactions in one request. Whoever asks tries again what failed, and finds the leader of that time. Safe from any thread.
 */
public final class ClusterMarkers implements MarkerWriter {
    private final Metadata metadata;
    private final MarkerWriter local;
    private final BrokerLinks links;
    private final BatchedQuestions<Write> questions;

    /**
     * Markers for the partitions of the cluster.
     *
     * @param local writes to the partitions of this broker
     * @param timeoutMs how long another broker may take to answer
     */
    public ClusterMarkers(Metadata metadata, MarkerWriter local, BrokerLinks links, int timeoutMs) {
        this.metadata = metadata;
        this.local = local;
        this.links = links;
        this.questions = new BatchedQuestions<>(links, Lane.MARKERS, new Writes(), timeoutMs);
    }

    private record Write(TopicPartition partition, TransactionMarker marker, CompletableFuture<Void> done) {}

    /** A partition that was deleted in the middle of a transaction needs no marker. */
    @Override
    public CompletionStage<Void> write(TopicPartition partition, TransactionMarker marker) {
        @Nullable PartitionImage image = metadata.image().partition(partition.topic(), partition.partition());
        if (image == null) {
            return CompletableFuture.allOf();
        }
        if (image.leader() == links.nodeId()) {
            return local.write(partition, marker);
        }
        if (image.leader() < 0) {
            return CompletableFuture.failedFuture(
                    new LeaderNotAvailableException("Nobody leads " + partition + " at present"));
        }
        Write write = new Write(partition, marker, new CompletableFuture<>());
        questions.ask(image.leader(), write);
        return write.done;
    }

    /** The answer tells markers apart by their producer. */
    private static final class Writes implements BatchedQuestions.Kind<Write> {
        @Override
        public Object key(Write write) {
            return write.marker.producerId();
        }

        @Override
        public Object value(Write write) {
            return write.marker;
        }

        @Override
        public ApiMessage request(List<Write> writes) {
            Map<TransactionMarker, Map<String, WritableTxnMarkerTopic>> topics = new LinkedHashMap<>();
            for (Write write : writes) {
                topics.computeIfAbsent(write.marker, marker -> new LinkedHashMap<>())
                        .computeIfAbsent(write.partition.topic(), name -> new WritableTxnMarkerTopic().setName(name))
                        .partitionIndexes()
                        .add(write.partition.partition());
            }
            WriteTxnMarkersRequestData request = new WriteTxnMarkersRequestData();
            topics.forEach((marker, to) -> request.markers()
                    .add(new WritableTxnMarker()
                            .setProducerId(marker.producerId())
                            .setProducerEpoch(marker.producerEpoch())
                            .setCoordinatorEpoch(marker.coordinatorEpoch())
                            .setTransactionResult(marker.commit())
                            .setTransactionVersion((byte) marker.transactionVersion())
                            .setTopics(List.copyOf(to.values()))));
            return request;
        }

        private record Place(long producerId, String topic, int partition) {}

        @Override
        public void onAnswer(List<Write> writes, ApiMessage answer) {
            Map<Place, Errors> errors = new HashMap<>();
            ((WriteTxnMarkersResponseData) answer).markers().forEach(marker -> marker.topics()
                    .forEach(topic -> topic.partitions()
                            .forEach(partition -> errors.put(
                                    new Place(marker.producerId(), topic.name(), partition.partitionIndex()),
                                    Errors.forCode(partition.errorCode())))));
            for (Write write : writes) {
                Errors error = errors.getOrDefault(
                        new Place(write.marker.producerId(), write.partition.topic(), write.partition.partition()),
                        Errors.UNKNOWN_SERVER_ERROR);
                if (error == Errors.NONE) {
                    write.done.complete(null);
                } else {
                    write.done.completeExceptionally(error.exception());
                }
            }
        }

        @Override
        public void onFailure(Write write, NetworkException cause) {
            write.done.completeExceptionally(cause);
        }
    }
}
