package io.barnabas.launcher;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;

/** Topics as lines of text. */
final class TopicReport {
    private TopicReport() {}

    /** Prints the topics named, with their partitions, or a line for each if none is named. */
    static void print(String bootstrap, List<String> topics, boolean internal) {
        try (Admin admin = BrokerAdmin.connect(bootstrap)) {
            List<String> names = topics.isEmpty()
                    ? List.copyOf(admin.listTopics(new ListTopicsOptions().listInternal(internal))
                            .names()
                            .get())
                    : topics;
            Map<String, TopicDescription> described =
                    admin.describeTopics(names).allTopicNames().get();
            new TreeMap<>(described).values().forEach(topic -> print(topic, !topics.isEmpty()));
        } catch (ExecutionException e) {
            throw BrokerAdmin.refusal(bootstrap, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void print(TopicDescription topic, boolean partitions) {
        System.out.printf(
                "%-48s %4d partitions  replication %d%n",
                topic.name(),
                topic.partitions().size(),
                topic.partitions().get(0).replicas().size());
        if (partitions) {
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
