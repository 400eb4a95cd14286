package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Classic groups with the consumers and the admin client that applications use, over real sockets and files. */
class ConsumerGroupsTest {
    private static final String TOPIC = "t";
    private static final int PARTITIONS = 6;
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int PATIENCE = 400; // polls

    private final EmbeddedBroker broker = EmbeddedBroker.start();
    private final Admin admin = broker.admin();
    private final List<KafkaConsumer<String, String>> consumers = new ArrayList<>();

    @BeforeEach
    void topic() throws Exception {
        admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                .all()
                .get();
    }

    @AfterEach
    void close() {
        consumers.forEach(consumer -> consumer.close(CloseOptions.timeout(Duration.ZERO)));
        admin.close();
        broker.close();
    }

    private void produce(int from, int to) {
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(broker.clientConfig(), new StringSerializer(), new StringSerializer())) {
            for (int i = from; i < to; i++) {
                producer.send(new ProducerRecord<>(TOPIC, i % PARTITIONS, null, Integer.toString(i)));
            }
        }
    }

    private KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(broker.clientConfig());
        config.put("group.id", "g");
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        config.put("heartbeat.interval.ms", "100");
        config.put("session.timeout.ms", "6000");
        config.put("partition.assignment.strategy", RangeAssignor.class.getName());
        config.putAll(more);
        KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        consumers.add(consumer);
        return consumer;
    }

    private static void read(KafkaConsumer<String, String> consumer, int count, Set<String> into) {
        for (int i = 0; i < PATIENCE && into.size() < count; i++) {
            for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                into.add(record.value());
            }
        }
        assertThat(into).hasSize(count);
    }

    /** Polls everybody until the partitions are spread over them, none twice. */
    private static void pollUntilBalanced(List<KafkaConsumer<String, String>> all) {
        for (int i = 0; i < PATIENCE; i++) {
            all.forEach(consumer -> consumer.poll(POLL));
            if (isBalanced(all)) {
                return;
            }
        }
        throw new AssertionError("the group did not come to rest: "
                + all.stream().map(KafkaConsumer::assignment).toList());
    }

    private static boolean isBalanced(List<KafkaConsumer<String, String>> all) {
        Set<TopicPartition> owned = new HashSet<>();
        int least = PARTITIONS;
        int sum = 0;
        for (KafkaConsumer<String, String> consumer : all) {
            owned.addAll(consumer.assignment());
            sum += consumer.assignment().size();
            least = Math.min(least, consumer.assignment().size());
        }
        return owned.size() == PARTITIONS && sum == PARTITIONS && least == PARTITIONS / all.size();
    }

    @Test
    void a_group_goes_on_where_it_committed_after_a_restart_and_after_a_crash() {
        produce(0, 100);
        KafkaConsumer<String, String> consumer = consumer(Map.of());
        consumer.subscribe(List.of(TOPIC));
        read(consumer, 100, new HashSet<>());
        consumer.commitSync();

        broker.restart();
        produce(100, 150);
        Set<String> second = new HashSet<>();
        read(consumer, 50, second);
        assertThat(second).doesNotContain("99").contains("100", "149");
        consumer.commitSync();
        consumer.close();

        broker.crash();
        produce(150, 180);
        KafkaConsumer<String, String> next = consumer(Map.of());
        next.subscribe(List.of(TOPIC));
        Set<String> third = new HashSet<>();
        read(next, 30, third);
        assertThat(third).doesNotContain("149").contains("150", "179");
    }

    @Test
    void consumers_share_the_partitions_as_they_come_and_go() {
        shareAsTheyComeAndGo(RangeAssignor.class.getName());
    }

    @Test
    void cooperative_consumers_share_the_partitions_as_they_come_and_go() {
        shareAsTheyComeAndGo(CooperativeStickyAssignor.class.getName());
    }

    private void shareAsTheyComeAndGo(String assignor) {
        List<KafkaConsumer<String, String>> present = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            KafkaConsumer<String, String> consumer = consumer(Map.of("partition.assignment.strategy", assignor));
            consumer.subscribe(List.of(TOPIC));
            present.add(consumer);
            pollUntilBalanced(present);
        }
        present.remove(0).close();
        pollUntilBalanced(present);
        present.remove(1).close();
        pollUntilBalanced(present);
    }

    @Test
    void a_static_consumer_comes_back_to_its_partitions_without_a_rebalance() throws Exception {
        KafkaConsumer<String, String> a = consumer(Map.of("group.instance.id", "a"));
        KafkaConsumer<String, String> b = consumer(Map.of("group.instance.id", "b"));
        a.subscribe(List.of(TOPIC));
        b.subscribe(List.of(TOPIC));
        pollUntilBalanced(List.of(a, b));
        Set<TopicPartition> before = b.assignment();
        int generation = a.groupMetadata().generationId();
        b.close();

        KafkaConsumer<String, String> again = consumer(Map.of("group.instance.id", "b"));
        again.subscribe(List.of(TOPIC));
        for (int i = 0; i < PATIENCE && again.assignment().isEmpty(); i++) {
            again.poll(POLL);
            a.poll(POLL);
        }

        assertThat(again.assignment()).isEqualTo(before);
        assertThat(again.groupMetadata().generationId()).isEqualTo(generation);
        admin.removeMembersFromConsumerGroup(
                        "g", new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("b"))))
                .all()
                .get();
        pollUntilBalanced(List.of(a));
    }

    @Test
    void an_administrator_sees_and_mends_groups() throws Exception {
        produce(0, 12);
        KafkaConsumer<String, String> consumer = consumer(Map.of("client.id", "c"));
        consumer.subscribe(List.of(TOPIC));
        read(consumer, 12, new HashSet<>());
        consumer.commitSync();

        ConsumerGroupDescription described =
                admin.describeConsumerGroups(List.of("g")).all().get().get("g");
        assertThat(described.groupState()).isEqualTo(GroupState.STABLE);
        assertThat(described.members()).hasSize(1);
        assertThat(described.members().iterator().next().clientId()).isEqualTo("c");
        assertThat(described.members().iterator().next().assignment().topicPartitions())
                .hasSize(PARTITIONS);
        assertThat(admin.listGroups().all().get())
                .extracting(group -> group.groupId())
                .containsExactly("g");
        assertThat(admin.listConsumerGroupOffsets("g")
                        .partitionsToOffsetAndMetadata()
                        .get())
                .hasSize(PARTITIONS)
                .containsEntry(new TopicPartition(TOPIC, 0), new OffsetAndMetadata(2, Optional.of(0), ""));
        assertThatThrownBy(() -> admin.deleteConsumerGroups(List.of("g")).all().get())
                .hasCauseInstanceOf(GroupNotEmptyException.class);
        TopicPartition first = new TopicPartition(TOPIC, 0);
        assertThatThrownBy(() -> admin.deleteConsumerGroupOffsets("g", Set.of(first))
                        .all()
                        .get())
                .hasCauseInstanceOf(GroupSubscribedToTopicException.class);

        consumer.close();
        admin.alterConsumerGroupOffsets("g", Map.of(first, new OffsetAndMetadata(1)))
                .all()
                .get();
        admin.deleteConsumerGroupOffsets("g", Set.of(new TopicPartition(TOPIC, 1)))
                .all()
                .get();
        Map<TopicPartition, OffsetAndMetadata> mended = admin.listConsumerGroupOffsets("g")
                .partitionsToOffsetAndMetadata()
                .get();
        assertThat(mended).hasSize(PARTITIONS - 1).doesNotContainKey(new TopicPartition(TOPIC, 1));
        assertThat(mended.get(first).offset()).isEqualTo(1);
        admin.deleteConsumerGroups(List.of("g")).all().get();
        assertThatThrownBy(() -> admin.describeClassicGroups(List.of("g")).all().get())
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(GroupIdNotFoundException.class);
    }

    @Test
    void offsets_of_a_deleted_topic_are_gone() throws Exception {
        admin.alterConsumerGroupOffsets("g", Map.of(new TopicPartition(TOPIC, 0), new OffsetAndMetadata(1)))
                .all()
                .get();
        admin.deleteTopics(List.of(TOPIC)).all().get();
        assertThat(admin.listConsumerGroupOffsets("g")
                        .partitionsToOffsetAndMetadata()
                        .get())
                .isEmpty();
    }
}
