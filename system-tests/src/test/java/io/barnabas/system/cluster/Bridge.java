package io.barnabas.system.cluster;

import java.util.List;

/**
 * A network namespace for each node, and all of them on one wire, so that what one calls out is heard by all. Nothing is cut there. Needs
 * what {@link CutNetwork#enter} gives.
 */
final class Bridge implements Network {
    private Bridge() {}

    /** Makes the network; once in a process. */
    static Bridge make(int size) {
        Bridge bridge = new Bridge();
        Command.run("mount", "-t", "tmpfs", "none", "/run");
        Command.run("ip", "link", "set", "lo", "up");
        Command.run("ip", "link", "add", "bridge", "type", "bridge");
        Command.run("ip", "addr", "add", "10.78.0.254/24", "dev", "bridge");
        Command.run("ip", "link", "set", "bridge", "up");
        for (int node = 1; node <= size; node++) {
            bridge.connect(node);
        }
        return bridge;
    }

    private void connect(int node) {
        String name = name(node);
        String cable = "b" + node;
        Command.run("ip", "netns", "add", name);
        Command.run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name);
        Command.run("ip", "link", "set", cable, "master", "bridge");
        Command.run("ip", "link", "set", cable, "up");
        Command.run("ip", "-n", name, "addr", "add", host(node) + "/24", "dev", "eth0");
        Command.run("ip", "-n", name, "link", "set", "eth0", "up");
        Command.run("ip", "-n", name, "link", "set", "lo", "up");
    }

    private static String name(int node) {
        return "node" + node;
    }

    @Override
    public String host(int node) {
        return "10.78.0." + node;
    }

    @Override
    public List<String> entrance(int node) {
        return List.of("ip", "netns", "exec", name(node));
    }

    @Override
    public void cut(int from, int to) {
        throw new UnsupportedOperationException("a wire is not cut");
    }

    @Override
    public void heal() {
        // it never is anything else
    }

    @Override
    public void close() {
        // everything goes with the network of this process
    }
}
