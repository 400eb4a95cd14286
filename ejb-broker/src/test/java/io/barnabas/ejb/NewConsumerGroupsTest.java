package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.admin.GroupDetail;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Consumer groups (KIP-848) with the consumers and the admin client that applications use, over real sockets and files. */
@Timeout(120)
class NewConsumerGroupsTest {
    private static final String TOPIC = "t";
    private static final int PARTITIONS = 6;
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int PATIENCE = 600; // polls

    private final EmbeddedBroker broker = EmbeddedBroker.start(Map.of(
            "group.consumer.min.heartbeat.interval.ms", "100",
            "group.consumer.heartbeat.interval.ms", "100",
            "group.consumer.min.session.timeout.ms", "1000",
            "group.consumer.assignment.interval.ms", "0"));
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

    private void produce(String topic, int from, int to) {
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(broker.clientConfig(), new StringSerializer(), new StringSerializer())) {
            for (int i = from; i < to; i++) {
                producer.send(new ProducerRecord<>(topic, Integer.toString(i), Integer.toString(i)));
            }
        }
    }

    private KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(broker.clientConfig());
        config.put("group.protocol", "consumer");
        config.put("group.id", "g");
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        config.put("metadata.max.age.ms", "500");
        config.putAll(more);
        KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        consumers.add(consumer);
        return consumer;
    }

    private KafkaConsumer<String, String> classicConsumer() {
        return consumer(
                Map.of("group.protocol", "classic", "heartbeat.interval.ms", "100", "session.timeout.ms", "6000"));
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
    private static void pollUntilBalanced(List<KafkaConsumer<String, String>> all, int partitions) {
        for (int i = 0; i < PATIENCE; i++) {
            all.forEach(consumer -> consumer.poll(POLL));
            Set<TopicPartition> owned = new HashSet<>();
            all.forEach(consumer -> owned.addAll(consumer.assignment()));
            int sum = all.stream()
                    .mapToInt(consumer -> consumer.assignment().size())
                    .sum();
            boolean fair =
                    all.stream().allMatch(consumer -> consumer.assignment().size() >= partitions / all.size());
            if (owned.size() == partitions && sum == partitions && fair) {
                return;
            }
        }
        throw new AssertionError("the group did not come to rest: "
                + all.stream().map(KafkaConsumer::assignment).toList());
    }

    private ConsumerGroupDescription describe() throws Exception {
        return admin.describeConsumerGroups(List.of("g")).all().get().get("g");
    }

    @Test
    void a_group_goes_on_where_it_committed_after_a_restart_and_after_a_crash() {
        produce(TOPIC, 0, 100);
        KafkaConsumer<String, String> consumer = consumer(Map.of());
        consumer.subscribe(List.of(TOPIC));
        read(consumer, 100, new HashSet<>());
        consumer.commitSync();

        broker.restart();
        produce(TOPIC, 100, 150);
        Set<String> second = new HashSet<>();
        read(consumer, 50, second);
        assertThat(second).doesNotContain("99").contains("100", "149");
        consumer.commitSync();
        consumer.close();

        broker.crash();
        produce(TOPIC, 150, 180);
        KafkaConsumer<String, String> next = consumer(Map.of());
        next.subscribe(List.of(TOPIC));
        Set<String> third = new HashSet<>();
        read(next, 30, third);
        assertThat(third).doesNotContain("149").contains("150", "179");
    }

    @Test
    void consumers_share_the_partitions_as_they_come_and_go() {
        shareAsTheyComeAndGo("uniform");
    }

    @Test
    void consumers_share_ranges_of_partitions_as_they_come_and_go() {
        shareAsTheyComeAndGo("range");
    }

    private void shareAsTheyComeAndGo(String assignor) {
        List<KafkaConsumer<String, String>> present = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            KafkaConsumer<String, String> consumer = consumer(Map.of("group.remote.assignor", assignor));
            consumer.subscribe(List.of(TOPIC));
            present.add(consumer);
            pollUntilBalanced(present, PARTITIONS);
        }
        present.remove(0).close();
        pollUntilBalanced(present, PARTITIONS);
        present.remove(1).close();
        pollUntilBalanced(present, PARTITIONS);
    }

    @Test
    void a_static_consumer_comes_back_to_its_partitions_without_a_rebalance() throws Exception {
        KafkaConsumer<String, String> a = consumer(Map.of("group.instance.id", "a"));
        KafkaConsumer<String, String> b = consumer(Map.of("group.instance.id", "b"));
        a.subscribe(List.of(TOPIC));
        b.subscribe(List.of(TOPIC));
        pollUntilBalanced(List.of(a, b), PARTITIONS);
        Set<TopicPartition> before = b.assignment();
        int epoch = describe().groupEpoch().orElseThrow();
        b.close();

        KafkaConsumer<String, String> again = consumer(Map.of("group.instance.id", "b"));
        again.subscribe(List.of(TOPIC));
        pollUntilBalanced(List.of(a, again), PARTITIONS);

        assertThat(again.assignment()).isEqualTo(before);
        assertThat(describe().groupEpoch().orElseThrow()).isEqualTo(epoch);
    }

    @Test
    void topics_and_partitions_that_are_made_later_are_found_by_pattern() throws Exception {
        KafkaConsumer<String, String> consumer = consumer(Map.of());
        consumer.subscribe(new SubscriptionPattern("t|later-.*"));
        pollUntilBalanced(List.of(consumer), PARTITIONS);

        admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(8))).all().get();

        pollUntilBalanced(List.of(consumer), 8);
    }

    @Test
    void an_administrator_sees_and_mends_groups() throws Exception {
        produce(TOPIC, 0, 60);
        KafkaConsumer<String, String> consumer = consumer(Map.of("client.id", "c"));
        consumer.subscribe(List.of(TOPIC));
        read(consumer, 60, new HashSet<>());
        consumer.commitSync();

        ConsumerGroupDescription described = describe();
        assertThat(described.groupState()).isEqualTo(GroupState.STABLE);
        assertThat(described.type()).isEqualTo(GroupType.CONSUMER);
        assertThat(described.partitionAssignor()).isEqualTo("uniform");
        assertThat(described.members()).hasSize(1);
        assertThat(described.members().iterator().next().clientId()).isEqualTo("c");
        assertThat(described.members().iterator().next().assignment().topicPartitions())
                .hasSize(PARTITIONS);
        assertThat(admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER)))
                        .all()
                        .get())
                .extracting(group -> group.groupId())
                .containsExactly("g");
        assertThat(admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CLASSIC)))
                        .all()
                        .get())
                .isEmpty();
        GroupDetail shown = new GroupViews(broker.node()).detail("g").orElseThrow();
        assertThat(shown.group().type()).isEqualTo("consumer");
        assertThat(shown.group().protocol()).isEqualTo("uniform");
        assertThat(shown.group().lag()).isZero();
        assertThat(shown.members().get(0).assignment()).hasSize(PARTITIONS).contains("t-0");
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
        assertThat(admin.listConsumerGroupOffsets("g")
                        .partitionsToOffsetAndMetadata()
                        .get()
                        .get(first)
                        .offset())
                .isEqualTo(1);
        admin.deleteConsumerGroups(List.of("g")).all().get();
        assertThatThrownBy(
                        () -> admin.describeConsumerGroups(List.of("g")).all().get())
                .hasCauseInstanceOf(GroupIdNotFoundException.class);
    }

    @Test
    void a_group_changes_its_protocol_while_it_runs_and_back() throws Exception {
        KafkaConsumer<String, String> classic = classicConsumer();
        classic.subscribe(List.of(TOPIC));
        pollUntilBalanced(List.of(classic), PARTITIONS);

        KafkaConsumer<String, String> fresh = consumer(Map.of());
        fresh.subscribe(List.of(TOPIC));
        pollUntilBalanced(List.of(classic, fresh), PARTITIONS);
        assertThat(describe().type()).isEqualTo(GroupType.CONSUMER);

        fresh.close();
        pollUntilBalanced(List.of(classic), PARTITIONS);
        assertThat(describe().type()).isEqualTo(GroupType.CLASSIC);
    }
}
