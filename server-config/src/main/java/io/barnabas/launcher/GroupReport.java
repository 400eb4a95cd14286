package io.barnabas.launcher;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Groups as lines of text. */
final class GroupReport {
    private GroupReport() {}

    /** Prints the committed offsets and the lag of the groups named, or a line for each group if none is named. */
    static void print(String bootstrap, List<String> groups) {
        try (Admin admin = BrokerAdmin.connect(bootstrap)) {
            if (groups.isEmpty()) {
                list(admin);
            }
            for (String group : groups) {
                describe(admin, group);
            }
        } catch (ExecutionException e) {
            throw BrokerAdmin.refusal(bootstrap, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
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
