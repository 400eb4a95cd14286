package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clients that live through stops and crashes of the broker. */
class ContinuityTest {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    @ParameterizedTest
    @CsvSource({"restart,os", "crash,os", "restart,fsync", "crash,fsync"})
    void producersAndConsumersGoOnWhereTheyWere(String how, String durability) throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("barnabas.durability", durability));
                Admin admin = broker.admin();
                var producer = producer(broker);
                var consumer = consumer(broker)) {
            // Given
            admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get();
            consumer.subscribe(List.of("t"));
            send(producer, 0, 50);
            List<String> read = new ArrayList<>(poll(consumer, 50));
            consumer.commitSync();
            int epoch = broker.node().partitions().leader(PARTITION).leaderEpoch();
            // When
            if (how.equals("crash")) {
                broker.crash();
            } else {
                broker.restart();
            }
            send(producer, 50, 100);
            // Then
            read.addAll(poll(consumer, 50));
            consumer.commitSync();
            for (int i = 0; i < 100; i++) {
                assertThat(read.get(i)).isEqualTo("v" + i);
            }
            assertThat(read).hasSize(100);
            assertThat(consumer.committed(java.util.Set.of(PARTITION))
                            .get(PARTITION)
                            .offset())
                    .isEqualTo(100);
            int epochNow = broker.node().partitions().leader(PARTITION).leaderEpoch();
            assertThat(epochNow > epoch).as("a new epoch after %s", how).isEqualTo(how.equals("crash"));
        }
    }

    @Test
    void aTopicMadeAgainUnderItsNameBeginsEmpty() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start();
                Admin admin = broker.admin();
                var producer = producer(broker)) {
            for (int round = 0; round < 3; round++) {
                admin.createTopics(List.of(new NewTopic("t", 1, (short) 1)))
                        .all()
                        .get();
                assertThat(broker.node().partitions().leader(PARTITION).highWatermark())
                        .isZero();
                send(producer, 0, 5);
                admin.deleteTopics(List.of("t")).all().get();
            }
        }
    }

    private static KafkaProducer<String, String> producer(EmbeddedBroker broker) {
        Map<String, Object> config = broker.clientConfig();
        config.put("metadata.max.age.ms", "200");
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(EmbeddedBroker broker) {
        Map<String, Object> config = broker.clientConfig();
        config.put("group.id", "g");
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static void send(KafkaProducer<String, String> producer, int from, int to) throws Exception {
        for (int i = from; i < to; i++) {
            assertThat(producer.send(new ProducerRecord<>("t", 0, null, "v" + i))
                            .get()
                            .offset())
                    .isEqualTo(i);
        }
    }

    private static List<String> poll(KafkaConsumer<String, String> consumer, int count) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < 150 && values.size() < count; i++) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                values.add(record.value());
            }
        }
        return values;
    }
}
