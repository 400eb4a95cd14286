package io.barnabas.request;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;

/** The cluster as clients of one listener see it under one image. Made for one request. */
final class ClusterView {
    /** Directory ids that stand for no directory yet: such a replica is not offline. */
    private static final Set<Uuid> UNASSIGNED = Set.of(Uuid.ZERO_UUID, new Uuid(0, 1));

    private final ControlPlane plane;
    private final MetadataImage image;
    private final String listener;
    private final Set<Integer> silent;

    ClusterView(ControlPlane plane, MetadataImage image, String listener) {
        this(plane, image, listener, Set.of());
    }

    /** @param silent brokers of which nothing is heard here */
    ClusterView(ControlPlane plane, MetadataImage image, String listener, Set<Integer> silent) {
        this.plane = plane;
        this.image = image;
        this.listener = listener;
        this.silent = silent;
    }

    boolean isSilent(int broker) {
        return silent.contains(broker);
    }

    /** Whom clients are told to lead: nobody, -1, if they cannot be sent there. */
    int leader(PartitionImage partition) {
        boolean reachable =
                !isSilent(partition.leader()) && node(partition.leader()).isPresent();
        return reachable ? partition.leader() : -1;
    }

    MetadataImage image() {
        return image;
    }

    /** Where a registered broker is reached, fenced or not; empty if it has no such listener. */
    Optional<Node> node(int id) {
        return image.broker(id).flatMap(this::node);
    }

    private Optional<Node> node(BrokerImage broker) {
        return broker.endpoints().stream()
                .filter(e -> e.listener().equalsIgnoreCase(listener))
                .findFirst()
                .map(e -> new Node(broker.id(), e.host(), port(broker.id(), e), broker.rack(), broker.fenced()));
    }

    private int port(int broker, BrokerImage.Endpoint endpoint) {
        if (endpoint.port() != 0 || broker != plane.brokerId()) {
            return endpoint.port();
        }
        return Math.max(0, plane.boundPort().applyAsInt(endpoint.listener()));
    }

    /** All brokers with this listener. */
    List<Node> nodes() {
        return image.brokers().stream().flatMap(b -> node(b).stream()).toList();
    }

    /** The brokers in service. */
    List<Node> aliveNodes() {
        return nodes().stream().filter(n -> !n.isFenced()).toList();
    }

    /** Whom to send changes to: the controller, or any broker in service while none is known; -1 if there is none. */
    int controllerId() {
        List<Node> alive = aliveNodes();
        boolean known = alive.stream().anyMatch(n -> n.id() == image.controllerId());
        return known
                ? image.controllerId()
                : alive.isEmpty() ? -1 : alive.get(0).id();
    }

    /** Those of {@code replicas} that are in service, or all of them. */
    List<Integer> alive(List<Integer> replicas, boolean all) {
        return all ? replicas : replicas.stream().filter(this::isAlive).toList();
    }

    boolean isAlive(int id) {
        return node(id).filter(n -> !n.isFenced()).isPresent();
    }

    /** Replicas whose broker or directory is not in service. */
    List<Integer> offline(PartitionImage partition) {
        List<Integer> offline = new ArrayList<>();
        for (int i = 0; i < partition.replicas().size(); i++) {
            int id = partition.replicas().get(i);
            if (!isAlive(id) || !isOnline(id, partition.directories().get(i))) {
                offline.add(id);
            }
        }
        return offline;
    }

    private boolean isOnline(int id, Uuid directory) {
        List<Uuid> directories = image.broker(id).map(BrokerImage::logDirs).orElse(List.of());
        return directories.isEmpty() || UNASSIGNED.contains(directory) || directories.contains(directory);
    }
}
