package io.barnabas.request;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.jspecify.annotations.Nullable;

/**
 * KIP-951: tells a client that asked the wrong broker who leads now and where that broker listens, so that it need not ask for
 * metadata first. Made for one answer, on its thread.
 */
final class LeaderHints {
    private final MetadataImage image;
    private final String listener;
    private final Map<Integer, Place> places = new TreeMap<>();

    private record Place(String host, int port, @Nullable String rack) {}

    LeaderHints(MetadataImage image, String listener) {
        this.image = image;
        this.listener = listener;
    }

    void addTo(ProduceResponseData.PartitionProduceResponse answer, String topic) {
        @Nullable PartitionImage partition = image.partition(topic, answer.index());
        answer.currentLeader()
                .setLeaderId(leader(partition))
                .setLeaderEpoch(partition == null ? -1 : partition.leaderEpoch());
    }

    void addTo(FetchResponseData.PartitionData answer, String topic) {
        @Nullable PartitionImage partition = image.partition(topic, answer.partitionIndex());
        answer.currentLeader()
                .setLeaderId(leader(partition))
                .setLeaderEpoch(partition == null ? -1 : partition.leaderEpoch());
    }

    private int leader(@Nullable PartitionImage partition) {
        int leader = partition == null ? -1 : partition.leader();
        image.broker(leader).filter(broker -> !broker.fenced()).ifPresent(this::place);
        return leader;
    }

    private void place(BrokerImage broker) {
        for (Endpoint endpoint : broker.endpoints()) {
            if (endpoint.listener().equals(listener)) {
                places.put(broker.id(), new Place(endpoint.host(), endpoint.port(), broker.rack()));
            }
        }
    }

    ProduceResponseData.NodeEndpointCollection produceEndpoints() {
        var endpoints = new ProduceResponseData.NodeEndpointCollection();
        places.forEach((id, place) -> endpoints.mustAdd(new ProduceResponseData.NodeEndpoint()
                .setNodeId(id)
                .setHost(place.host())
                .setPort(place.port())
                .setRack(place.rack())));
        return endpoints;
    }

    FetchResponseData.NodeEndpointCollection fetchEndpoints() {
        var endpoints = new FetchResponseData.NodeEndpointCollection();
        places.forEach((id, place) -> endpoints.mustAdd(new FetchResponseData.NodeEndpoint()
                .setNodeId(id)
                .setHost(place.host())
                .setPort(place.port())
                .setRack(place.rack())));
        return endpoints;
    }
}
