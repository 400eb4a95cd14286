package io.barnabas.ejb;

import io.barnabas.metadata.FreePorts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Several whole brokers of one cluster inside the test's JVM, all of them voters. Used by one thread. */
final class EmbeddedCluster implements AutoCloseable {
    private static final long START_SECONDS = 100;

    private final List<EmbeddedBroker> nodes = new ArrayList<>();
    private final List<String> bootstraps = new ArrayList<>();
    private final List<Integer> ports;
    private final String voters;

    private EmbeddedCluster(int count) {
        this.ports = FreePorts.take(3 * count);
        this.voters = IntStream.range(0, count)
                .mapToObj(i -> (i + 1) + "@127.0.0.1:" + ports.get(3 * i))
                .collect(Collectors.joining(","));
    }

    /** Starts so many, with keys of the test's own; returns when all have started. */
    static EmbeddedCluster start(int count, Map<String, String> config) throws Exception {
        return start(count, nodeId -> config);
    }

    /** The same, with keys for each node by its id, which are counted from 1. */
    static EmbeddedCluster start(int count, IntFunction<Map<String, String>> config) throws Exception {
        EmbeddedCluster cluster = new EmbeddedCluster(count);
        List<CompletableFuture<EmbeddedBroker>> starting = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            starting.add(cluster.starting(i, config.apply(i + 1)));
            cluster.bootstraps.add("127.0.0.1:" + cluster.ports.get(3 * i + 1));
        }
        for (CompletableFuture<EmbeddedBroker> node : starting) {
            cluster.nodes.add(node.get(START_SECONDS, TimeUnit.SECONDS));
        }
        return cluster;
    }

    private CompletableFuture<EmbeddedBroker> starting(int index, Map<String, String> config) {
        CompletableFuture<EmbeddedBroker> node = new CompletableFuture<>();
        Map<String, String> own = new HashMap<>(Map.of(
                "node.id",
                Integer.toString(index + 1),
                "listeners",
                "PLAINTEXT://127.0.0.1:" + ports.get(3 * index + 1) + ",BROKER://127.0.0.1:" + interBrokerPort(index),
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
                "inter.broker.listener.name",
                "BROKER",
                "controller.quorum.voters",
                voters));
        own.putAll(config);
        Thread thread = new Thread(
                () -> {
                    try {
                        node.complete(EmbeddedBroker.start(own));
                    } catch (Throwable e) {
                        node.completeExceptionally(e);
                    }
                },
                "node-" + (index + 1));
        thread.start();
        return node;
    }

    List<EmbeddedBroker> nodes() {
        return nodes;
    }

    /** Where clients reach each node. */
    List<String> bootstraps() {
        return bootstraps;
    }

    int quorumPort(int index) {
        return ports.get(3 * index);
    }

    int interBrokerPort(int index) {
        return ports.get(3 * index + 2);
    }

    /** Stops all at once. */
    @Override
    public void close() {
        List<Thread> stopping =
                nodes.stream().map(node -> new Thread(node::close)).toList();
        stopping.forEach(Thread::start);
        stopping.forEach(thread -> {
            try {
                thread.join(30_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
