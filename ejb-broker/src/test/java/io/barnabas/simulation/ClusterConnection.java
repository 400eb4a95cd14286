package io.barnabas.simulation;

import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.port.PeerConnection;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection to whoever leads a partition, as some broker says: made when it is needed, and given up when it has failed or its
 * broker leads no longer.
 */
final class ClusterConnection {
    private final SimulatedCluster cluster;
    private final TopicPartition partition;
    private final String clientId;
    private final Random random;
    private @Nullable PeerConnection connection;
    private int broker = -1;
    private int leaderEpoch; // the highest that it was told of

    ClusterConnection(SimulatedCluster cluster, TopicPartition partition, String clientId, Random random) {
        this.cluster = cluster;
        this.partition = partition;
        this.clientId = clientId;
        this.random = random;
    }

    /** The broker that it is to, or was. */
    int broker() {
        return broker;
    }

    /** Whether whom it is to leads, by what is committed. */
    boolean isToLeader() {
        return cluster.committed(partition).leader() == broker;
    }

    /**
     * Sends a request.
     *
     * @param answer told of the answer, or of null if there is none
     * @return false if nobody is known to lead; nothing is told then
     */
    boolean send(ApiKeys api, short version, ApiMessage body, int timeoutMs, Consumer<@Nullable ApiMessage> answer) {
        if (api.id != body.apiKey()) {
            throw new IllegalArgumentException(api + " " + body);
        }
        PeerConnection over = open();
        if (over == null) {
            return false;
        }
        over.send(body, version, timeoutMs, new PeerConnection.Answer() {
            @Override
            public void onAnswer(ApiMessage message) {
                answer.accept(message);
            }

            @Override
            public void onFailure(RuntimeException cause) {
                answer.accept(null);
            }
        });
        return true;
    }

    private @Nullable PeerConnection open() {
        PeerConnection present = connection;
        if (present != null && present.isOpen()) {
            return present;
        }
        SimulatedBroker told = cluster.broker(1 + random.nextInt(SimulatedCluster.BROKERS));
        PartitionImage image = told.image().partition(partition.topic(), partition.partition());
        if (!told.alive() || image == null || image.leader() < 0 || image.leaderEpoch() < leaderEpoch) {
            return null; // as clients do, it believes no metadata that are older than those it had (KIP-320)
        }
        leaderEpoch = image.leaderEpoch();
        broker = image.leader();
        connection = cluster.network
                .connector(SimulatedCluster.CLIENTS)
                .connect(SimulatedBroker.host(broker), SimulatedBroker.CLIENTS_PORT, clientId);
        return connection;
    }

    /** Gives the connection up: another leads, or it is not sure. */
    void drop() {
        PeerConnection former = connection;
        connection = null;
        if (former != null) {
            former.close();
        }
    }
}
