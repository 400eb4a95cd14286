package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists topics, or describes those that are named. */
@Command(name = "topics", description = "Lists topics, or describes those named.", mixinStandardHelpOptions = true)
final class TopicsCommand implements Callable<Integer> {
    @Option(
            names = {"-b", "--bootstrap"},
            paramLabel = "HOST:PORT",
            description = "The broker (127.0.0.1:9092).")
    private String bootstrap = "127.0.0.1:9092";

    @Option(names = "--internal", description = "Internal topics too.")
    private boolean internal;

    @Parameters(paramLabel = "TOPIC", description = "Topics to describe.")
    private List<String> topics = new ArrayList<>();

    @Override
    public Integer call() throws InterruptedException {
        List<String> again = new ArrayList<>(List.of("topics", "--bootstrap", bootstrap));
        if (internal) {
            again.add("--internal");
        }
        again.addAll(topics);
        ClientCommand.ensureClient(again.toArray(new String[0]));
        try (Admin admin = BrokerAdmin.connect(bootstrap)) {
            for (TopicDescription topic : described(admin).values()) {
                print(topic);
            }
        } catch (ExecutionException e) {
            throw BrokerAdmin.refusal(bootstrap, e);
        }
        return 0;
    }

    private Map<String, TopicDescription> described(Admin admin) throws ExecutionException, InterruptedException {
        List<String> names = topics.isEmpty()
                ? List.copyOf(admin.listTopics(new ListTopicsOptions().listInternal(internal))
                        .names()
                        .get())
                : topics;
        return new TreeMap<>(admin.describeTopics(names).allTopicNames().get());
    }

    private void print(TopicDescription topic) {
        System.out.printf(
                "%-48s %4d partitions  replication %d%n",
                topic.name(),
                topic.partitions().size(),
                topic.partitions().get(0).replicas().size());
        if (!topics.isEmpty()) {
            topic.partitions()
                    .forEach(p -> System.out.printf(
                            "  %4d  leader %s  replicas %s  in sync %s%n",
                            p.partition(),
                            p.leader() == null ? "none" : p.leader().idString(),
                            BrokerAdmin.ids(p.replicas()),
                            BrokerAdmin.ids(p.isr())));
        }
    }
}
