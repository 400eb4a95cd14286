package io.barnabas.system.cluster;

import java.nio.file.Path;
import java.util.List;

/**
 * Where one node of a cluster lives.
 *
 * @param id the node's number, from 1
 * @param host the address that it listens on, and no other
 * @param ports its ports there
 * @param directory its own: data below {@code disk}, settings and output beside
 * @param entrance what stands before its command, to get into its network; empty on the machine's own
 */
record Place(int id, String host, Ports ports, Path directory, List<String> entrance) {
    /**
     * Ports of a node.
     *
     * @param clients for clients
     * @param brokers for other brokers
     * @param quorum for the quorum of controllers
     * @param http for the console
     */
    record Ports(int clients, int brokers, int quorum, int http) {}

    String bootstrap() {
        return host + ":" + ports.clients();
    }

    /** The node as one of the quorum, in the form of {@code controller.quorum.voters}. */
    String voter() {
        return id + "@" + host + ":" + ports.quorum();
    }

    /** What may be a disk of its own. */
    Path disk() {
        return directory.resolve("disk");
    }

    Path data() {
        return disk().resolve("data");
    }
}
