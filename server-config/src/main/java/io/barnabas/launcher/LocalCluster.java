package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The nodes of a cluster on this machine while they run: started together, because none serves before a majority is there, and stopped one
 * after another, because a node that leaves in order hands over what it leads, which takes a majority.
 *
 * <p>Threads: main starts and looks on; the shutdown hook stops.
 */
final class LocalCluster {
    private static final int PATIENCE_SECONDS = 90;
    private static final long LOOK_EVERY_MS = 50;

    private final PrintStream out;
    private final List<NodeProcess> nodes = new ArrayList<>(); // guarded by itself
    private volatile boolean stopping;

    LocalCluster(PrintStream out) {
        this.out = out;
    }

    /** Starts a node unless all are being stopped. */
    void start(int node, ServerProcess server) {
        synchronized (nodes) {
            if (!stopping) {
                nodes.add(NodeProcess.start(node, server, out));
            }
        }
    }

    /**
     * Waits until all serve.
     *
     * @return false if they are being stopped meanwhile
     * @throws Refusal if one of them has ended
     */
    boolean awaitServing() throws InterruptedException {
        for (NodeProcess node : running()) {
            while (!node.serves()) {
                for (NodeProcess any : running()) {
                    if (!any.alive() && !stopping) {
                        throw new Refusal("node " + any.node() + " cannot start: " + any.end());
                    }
                }
                if (stopping) {
                    return false;
                }
                node.endsWithin(LOOK_EVERY_MS);
            }
        }
        return true;
    }

    /** Looks on until none is left, and tells of each that ends by itself. */
    void lookOn(String again) throws InterruptedException {
        List<NodeProcess> left = running();
        while (!left.isEmpty()) {
            List<NodeProcess> ended = new ArrayList<>();
            for (NodeProcess node : left) {
                if (node.endsWithin(LOOK_EVERY_MS)) {
                    ended.add(node);
                    if (!stopping) {
                        out.println("Node " + node.node() + " has ended (" + node.end() + "); start it again with: "
                                + again.formatted(node.node()));
                    }
                }
            }
            left.removeAll(ended);
        }
    }

    private List<NodeProcess> running() {
        synchronized (nodes) {
            return new ArrayList<>(nodes);
        }
    }

    /** The last comes first, each after the one before has ended: a majority is there until only a minority is left. */
    void stop() {
        stopping = true;
        List<NodeProcess> left = running();
        for (int i = left.size() - 1; i >= 0; i--) {
            NodeProcess node = left.get(i);
            if (node.alive()) {
                out.println("Stopping node " + node.node() + "…");
            }
            try {
                node.stop(PATIENCE_SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
