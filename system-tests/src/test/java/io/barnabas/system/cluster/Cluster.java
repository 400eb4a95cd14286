package io.barnabas.system.cluster;

import io.barnabas.system.BarnabasProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** Nodes that form a cluster, and what an operator asks of it. Used by one thread. */
final class Cluster implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(180);
    private static final Duration HEALING = Duration.ofSeconds(120);
    private static final int REQUEST_TIMEOUT_MS = 3_000;

    private final Product product;
    private final Network network;
    private final Set<Need> needs;
    private final List<Node> nodes = new ArrayList<>();
    private Admin admin;

    private Cluster(Product product, Network network, Set<Need> needs) {
        this.needs = needs;
        this.product = product;
        this.network = network;
    }

    /**
     * Starts the nodes together and waits until all are there.
     *
     * @param network where they live; closed with the cluster
     * @param needs what else is to befall them
     */
    static Cluster start(Product product, Network network, Set<Need> needs, Path directory, int size) throws Exception {
        Cluster cluster = new Cluster(product, network, needs);
        try {
            List<Place> places = new ArrayList<>();
            for (int id = 1; id <= size; id++) {
                places.add(new Place(
                        id, network.host(id), ports(), directory.resolve(Integer.toString(id)), network.entrance(id)));
            }
            for (Place place : places) {
                cluster.nodes.add(new Node(place, product.command(place, places), needs));
            }
            product.format(places);
            cluster.launchAll();
            cluster.admin = Admin.create(Map.of(
                    "bootstrap.servers",
                    cluster.bootstrap(),
                    "request.timeout.ms",
                    REQUEST_TIMEOUT_MS,
                    "default.api.timeout.ms",
                    2 * REQUEST_TIMEOUT_MS));
            cluster.awaitMembers(product.brokers(size), START);
            return cluster;
        } catch (Exception | AssertionError e) {
            cluster.close();
            throw e;
        }
    }

    /** Free ones for a node. */
    static Place.Ports ports() {
        return new Place.Ports(
                BarnabasProcess.freePort(),
                BarnabasProcess.freePort(),
                BarnabasProcess.freePort(),
                BarnabasProcess.freePort());
    }

    Product product() {
        return product;
    }

    /** What its nodes run on. */
    Set<Need> needs() {
        return needs;
    }

    Network network() {
        return network;
    }

    List<Node> nodes() {
        return nodes;
    }

    Node node(int id) {
        return nodes.get(id - 1);
    }

    void launchAll() throws IOException {
        for (Node node : nodes) {
            node.launch();
        }
    }

    /** Ends what still runs and starts all nodes again, on disks that work and with clocks that are right. */
    void revive() throws Exception {
        for (Node node : nodes) {
            if (node.alive()) {
                node.kill();
            }
            node.makeWell();
        }
        network.heal();
        launchAll();
        awaitMembers(product.brokers(nodes.size()), START);
    }

    String bootstrap() {
        return nodes.stream().map(node -> node.place().bootstrap()).collect(Collectors.joining(","));
    }

    Admin admin() {
        return admin;
    }

    /** Makes a topic with a replica on every node and waits until all of them are in sync. */
    void createTopic(String topic, List<List<Integer>> replicas, Map<String, String> more) throws Exception {
        Map<Integer, List<Integer>> assignment = new HashMap<>();
        for (int i = 0; i < replicas.size(); i++) {
            assignment.put(i, replicas.get(i));
        }
        Map<String, String> configs = new HashMap<>(more);
        configs.put("min.insync.replicas", nodes.size() > 2 ? "2" : "1");
        NewTopic made = new NewTopic(topic, assignment).configs(configs);
        try {
            admin.createTopics(List.of(made)).all().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) { // the client's own first try, whose answer was lost
                throw e;
            }
        }
        awaitInSync(topic);
    }

    /** All nodes, that one first, in a ring. */
    List<Integer> replicasLedBy(int first) {
        List<Integer> replicas = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            replicas.add((first - 1 + i) % nodes.size() + 1);
        }
        return replicas;
    }

    /** Changes settings of all brokers while they run, and waits until each goes by them. */
    void set(Map<String, String> settings) throws Exception {
        List<AlterConfigOp> changes = settings.entrySet().stream()
                .map(each ->
                        new AlterConfigOp(new ConfigEntry(each.getKey(), each.getValue()), AlterConfigOp.OpType.SET))
                .toList();
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.BROKER, ""), changes))
                .all()
                .get(30, TimeUnit.SECONDS);
        for (Node node : nodes) {
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(node.id()));
            await(settings + " at " + node, HEALING, () -> {
                Config config =
                        admin.describeConfigs(List.of(broker)).all().get().get(broker);
                return settings.entrySet().stream().allMatch(each -> each.getValue()
                        .equals(config.get(each.getKey()).value()));
            });
        }
    }

    /** Waits for as many unfenced brokers. */
    void awaitMembers(int size, Duration limit) {
        await("brokers in the cluster: " + size, limit, () -> {
            for (Node node : nodes) {
                if (!node.alive()) {
                    throw new IllegalStateException(node + " has ended: " + node.outputOfThisStart());
                }
            }
            return admin.describeCluster().nodes().get().size() == size;
        });
    }

    /** Waits until every replica of the topic is in sync and led. */
    void awaitInSync(String topic) {
        await("all replicas of " + topic + " in sync", HEALING, () -> partitions(topic).stream()
                .allMatch(p ->
                        p.leader() != null && p.isr().size() == p.replicas().size()));
    }

    /** Waits for a leader of partition 0 that the test allows. */
    Node awaitLeader(String topic, Predicate<Node> allowed) {
        Node[] found = new Node[1];
        await("a leader of " + topic, HEALING, () -> {
            TopicPartitionInfo partition = partitions(topic).get(0);
            if (partition.leader() == null || partition.leader().id() < 1) {
                return false;
            }
            found[0] = node(partition.leader().id());
            return allowed.test(found[0]);
        });
        return found[0];
    }

    Node leader(String topic) {
        return awaitLeader(topic, any -> true);
    }

    /** Names of the topics that the cluster made for itself. */
    List<String> internalTopics() throws ExecutionException, InterruptedException {
        return admin.listTopics(new ListTopicsOptions().listInternal(true)).listings().get().stream()
                .filter(TopicListing::isInternal)
                .map(TopicListing::name)
                .toList();
    }

    List<TopicPartitionInfo> partitions(String topic) throws ExecutionException, InterruptedException {
        return admin.describeTopics(List.of(topic))
                .allTopicNames()
                .get()
                .get(topic)
                .partitions();
    }

    /** Whether a node is a member again and in sync within a time; not, as soon as its process has ended. */
    boolean comesBack(Node node, String topic, Duration limit) {
        long until = System.nanoTime() + limit.toNanos();
        while (node.alive() && System.nanoTime() < until) {
            try {
                boolean member =
                        admin.describeCluster().nodes().get().stream().anyMatch(each -> each.id() == node.id());
                if (member && partitions(topic).get(0).isr().stream().anyMatch(each -> each.id() == node.id())) {
                    return true;
                }
            } catch (ExecutionException notNow) {
                // asked again
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            Pause.of(Duration.ofMillis(100));
        }
        return false;
    }

    /** Makes the first replica lead again. */
    void electPreferred(String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        await("the first replica of " + topic + " leads", HEALING, () -> {
            TopicPartitionInfo now = partitions(topic).get(0);
            if (now.leader() != null
                    && now.leader().id() == now.replicas().get(0).id()) {
                return true;
            }
            admin.electLeaders(ElectionType.PREFERRED, Set.of(partition))
                    .partitions()
                    .get();
            return false;
        });
    }

    /** Whether a node of that number votes with the directory that it has now, and hears of the log; asks for its vote if not. */
    void restoreVote(Node node) {
        await(node + " votes again", HEALING, () -> product.votes(this, node));
    }

    /** The node that is the active controller. */
    Node controller() {
        Node[] found = new Node[1];
        await("a controller", HEALING, () -> {
            int id = admin.describeMetadataQuorum().quorumInfo().get().leaderId();
            if (id < 1) {
                return false;
            }
            found[0] = node(id);
            return true;
        });
        return found[0];
    }

    /** Something to be asked again when it fails or does not hold yet. */
    interface Condition {
        boolean holds() throws ExecutionException, InterruptedException, TimeoutException;
    }

    void await(String what, Duration limit, Condition condition) {
        long until = System.nanoTime() + limit.toNanos();
        Object last = "not so";
        while (System.nanoTime() < until) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (ExecutionException | TimeoutException e) {
                last = e;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            Pause.of(Duration.ofMillis(100));
        }
        throw new AssertionError(what + ": not within " + limit + ", last: " + last + "; "
                + nodes.stream()
                        .map(node -> node
                                + (node.alive() ? " lives, " : " is dead, ")
                                + node.place().directory())
                        .collect(Collectors.joining("; ")));
    }

    @Override
    public void close() {
        if (admin != null) {
            admin.close(Duration.ZERO);
        }
        for (Node node : nodes) {
            if (node.alive()) {
                try {
                    node.kill();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            try {
                node.close();
            } catch (IOException e) {
                System.err.println("the disk of " + node + " stays: " + e);
            }
        }
        network.close();
    }
}
