package io.barnabas.system.cluster;

import java.util.List;

/** What connects the nodes with each other and with their clients. */
interface Network extends AutoCloseable {
    /** The address of a node. */
    String host(int node);

    /** What stands before a node's command so that it runs at its address. */
    List<String> entrance(int node);

    /** Packets from one to the other are lost without a word; {@link #CLIENTS} stands for everybody who is not a node. */
    void cut(int from, int to);

    /** All packets arrive again. */
    void heal();

    @Override
    void close();

    /** In the place of a node. */
    int CLIENTS = 0;

    /** The machine's own loopback, which cannot be cut. */
    static Network loopback() {
        return new Network() {
            @Override
            public String host(int node) {
                return "127.0.0.1";
            }

            @Override
            public List<String> entrance(int node) {
                return List.of();
            }

            @Override
            public void cut(int from, int to) {
                throw new UnsupportedOperationException("loopback is not cut");
            }

            @Override
            public void heal() {
                // it never is anything else
            }

            @Override
            public void close() {
                // nothing was made
            }
        };
    }
}
