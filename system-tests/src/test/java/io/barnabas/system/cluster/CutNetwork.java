package io.barnabas.system.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A network namespace for each node, each on a cable of its own to a router, which is the network that this process is in; clients
 * are in the router. A cut is a rule of routing that loses packets where they arrive, so nobody is told. Needs a network and mounts of
 * one's own (see {@link #enter}) and the rights to change them, and no program but {@code ip}.
 */
final class CutNetwork implements Network {
    /** Rules of ours are looked at before the one that delivers packets to the host itself, which is moved behind them. */
    private static final String CUT_PREFERENCE = "50";

    private static final String LOCAL_PREFERENCE = "100";
    private static final String INSIDE = "BARNABAS_TEST_NETWORK";
    /** What others take off this machine is off here, too: a copy of a mount would keep the disk of another cluster busy. */
    private static final List<List<String>> WAYS = List.of(
            List.of("unshare", "-nm", "--propagation", "slave"), List.of("unshare", "-rnm", "--propagation", "slave"));

    private final int size;
    private final List<List<String>> cuts = new ArrayList<>();

    private CutNetwork(int size) {
        this.size = size;
    }

    /** Whether this process is in a network of its own that may be changed. */
    static boolean inside() {
        return System.getenv(INSIDE) != null;
    }

    /** The command for the same in a network of its own; empty if this machine does not allow one. */
    static List<String> enter(List<String> command) {
        for (List<String> way : WAYS) {
            List<String> trial = new ArrayList<>(way);
            trial.addAll(List.of("sh", "-c", trial()));
            if (Command.result(trial).status() == 0) {
                List<String> whole = new ArrayList<>(way);
                whole.addAll(List.of("env", INSIDE + "=1"));
                whole.addAll(command);
                return whole;
            }
        }
        return List.of();
    }

    /** A namespace, a cable and a rule, as they are needed. */
    private static String trial() {
        return "mount -t tmpfs none /run && ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_forward && ip netns add t"
                + " && ip link add r type veth peer name eth0 netns t && ip rule add pref 50 from 192.0.2.1 blackhole";
    }

    /** Makes the network; once in a process. */
    static CutNetwork make(int size) throws IOException {
        CutNetwork network = new CutNetwork(size);
        // A node's namespace has its own view of what is mounted, which must follow when a disk is taken off and put
        // on.
        run(List.of("mount", "--make-rshared", "/"));
        run(List.of("mount", "-t", "tmpfs", "none", "/run"));
        run(List.of("ip", "link", "set", "lo", "up"));
        Files.writeString(Path.of("/proc/sys/net/ipv4/ip_forward"), "1\n");
        moveLocalRule(List.of("ip"));
        for (int node = 1; node <= size; node++) {
            network.connect(node);
        }
        return network;
    }

    private void connect(int node) {
        String name = name(node);
        String cable = "r" + node;
        run(List.of("ip", "netns", "add", name));
        run(List.of("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name));
        run(List.of("ip", "addr", "add", router(node) + "/24", "dev", cable));
        run(List.of("ip", "link", "set", cable, "up"));
        run(List.of("ip", "-n", name, "addr", "add", host(node) + "/24", "dev", "eth0"));
        run(List.of("ip", "-n", name, "link", "set", "eth0", "up"));
        run(List.of("ip", "-n", name, "link", "set", "lo", "up"));
        run(List.of("ip", "-n", name, "route", "add", "default", "via", router(node)));
        moveLocalRule(List.of("ip", "-n", name));
    }

    private static void moveLocalRule(List<String> ip) {
        run(with(ip, "rule", "add", "pref", LOCAL_PREFERENCE, "lookup", "local"));
        run(with(ip, "rule", "del", "pref", "0"));
    }

    private static String name(int node) {
        return "node" + node;
    }

    private static String router(int node) {
        return "10.77." + node + ".1";
    }

    @Override
    public String host(int node) {
        return "10.77." + node + ".2";
    }

    @Override
    public List<String> entrance(int node) {
        return List.of("ip", "netns", "exec", name(node));
    }

    @Override
    public void cut(int from, int to) {
        if (from == CLIENTS) {
            lose(List.of("ip", "-n", name(to)), router(to), host(to));
        } else if (from != to) { // the leader may be the controller
            lose(List.of("ip"), host(from), to == CLIENTS ? router(from) : host(to));
        }
    }

    /** A node and everything else lose each other's packets. */
    void isolate(int node) {
        for (int other = CLIENTS; other <= size; other++) {
            if (other != node) {
                cut(node, other);
                cut(other, node);
            }
        }
    }

    private void lose(List<String> ip, String from, String to) {
        List<String> rule = List.of("pref", CUT_PREFERENCE, "from", from, "to", to, "blackhole");
        List<String> add = with(ip, "rule", "add");
        add.addAll(rule);
        List<String> remove = with(ip, "rule", "del");
        remove.addAll(rule);
        run(add);
        cuts.add(remove);
    }

    @Override
    public void heal() {
        cuts.forEach(CutNetwork::run);
        cuts.clear();
    }

    private static List<String> with(List<String> command, String... more) {
        List<String> whole = new ArrayList<>(command);
        whole.addAll(List.of(more));
        return whole;
    }

    private static void run(List<String> command) {
        Command.run(command);
    }

    @Override
    public void close() {
        // everything goes with the network of this process
    }
}
