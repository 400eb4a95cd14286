package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists groups, or the committed offsets and the lag of those that are named. */
@Command(name = "groups", description = "Lists groups, or the lag of those named.", mixinStandardHelpOptions = true)
final class GroupsCommand implements Callable<Integer> {
    @Option(
            names = {"-b", "--bootstrap"},
            paramLabel = "HOST:PORT",
            description = "The broker (127.0.0.1:9092).")
    private String bootstrap = "127.0.0.1:9092";

    @Parameters(paramLabel = "GROUP", description = "Groups to describe.")
    private List<String> groups = new ArrayList<>();

    @Override
    public Integer call() throws InterruptedException {
        List<String> again = new ArrayList<>(List.of("groups", "--bootstrap", bootstrap));
        again.addAll(groups);
        ClientCommand.ensureClient(again.toArray(new String[0]));
        try (Admin admin = BrokerAdmin.connect(bootstrap)) {
            if (groups.isEmpty()) {
                list(admin);
            }
            for (String group : groups) {
                describe(admin, group);
            }
        } catch (ExecutionException e) {
            throw BrokerAdmin.refusal(bootstrap, e);
        }
        return 0;
    }

    private static void list(Admin admin) throws ExecutionException, InterruptedException {
        admin.listGroups().all().get().stream()
                .sorted(Comparator.comparing(GroupListing::groupId))
                .forEach(g -> System.out.printf(
                        "%-48s %-10s %s%n",
                        g.groupId(),
                        g.type().map(Object::toString).orElse("-"),
                        g.groupState().map(Object::toString).orElse("-")));
    }

    private static void describe(Admin admin, String group) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> committed =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));
        committed.putAll(admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get());
        committed.values().removeIf(offset -> offset == null);
        Map<TopicPartition, ListOffsetsResultInfo> ends = admin.listOffsets(
                        committed.keySet().stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                .all()
                .get();
        System.out.println(group);
        committed.forEach((partition, offset) -> {
            long end = ends.get(partition) == null
                    ? offset.offset()
                    : ends.get(partition).offset();
            System.out.printf(
                    "  %-48s %4d  committed %d  end %d  lag %d%n",
                    partition.topic(), partition.partition(), offset.offset(), end, end - offset.offset());
        });
    }
}
