package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;

/**
 * An idempotent producer with acks=all that numbers its records and remembers where each acknowledged one went; at the end it reads the
 * topic back and holds the log to it.
 */
final class AcknowledgedLoad implements AutoCloseable {
    private final String bootstrap;
    private final String topic;
    private final int partitions;
    private final List<Map<Long, Long>> offsetToNumber = new ArrayList<>(); // acknowledged, for each partition
    private final AtomicLong acknowledged = new AtomicLong();
    private final Semaphore room = new Semaphore(2_000);
    private final Thread thread;
    private volatile boolean running = true;
    private volatile Throwable failure;

    AcknowledgedLoad(String bootstrap, String topic, int partitions) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.partitions = partitions;
        for (int i = 0; i < partitions; i++) {
            offsetToNumber.add(new ConcurrentSkipListMap<>());
        }
        thread = new Thread(this::run, "acknowledged-load");
        thread.start();
    }

    private void run() {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", bootstrap,
                "acks", "all",
                "enable.idempotence", "true",
                "linger.ms", "1",
                "delivery.timeout.ms", "180000",
                "request.timeout.ms", "10000",
                "max.block.ms", "180000",
                "key.serializer", "org.apache.kafka.common.serialization.LongSerializer",
                "value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        try (KafkaProducer<Long, String> producer = new KafkaProducer<>(settings)) {
            for (long number = 0; running && failure == null; number++) {
                int partition = (int) (number % partitions);
                long sent = number;
                room.acquire();
                producer.send(new ProducerRecord<>(topic, partition, number, "value-" + number), (where, error) -> {
                    room.release();
                    if (error != null) {
                        failure = error;
                    } else {
                        offsetToNumber.get(partition).put(where.offset(), sent);
                        acknowledged.incrementAndGet();
                    }
                });
            }
        } catch (InterruptedException | RuntimeException e) {
            failure = e;
        }
    }

    long acknowledged() {
        return acknowledged.get();
    }

    /** Waits until {@code more} further records are acknowledged. */
    void awaitMore(long more) {
        long goal = acknowledged.get() + more;
        Awaitility.await("records acknowledged").atMost(Duration.ofSeconds(120)).until(() -> {
            assertThat(failure)
                    .as("an idempotent producer under restarts fails no send")
                    .isNull();
            return acknowledged.get() >= goal;
        });
    }

    void stop() throws InterruptedException {
        running = false;
        thread.join();
        assertThat(failure).isNull();
    }

    /** Every acknowledged record is there once, at its offset, and numbers rise. */
    void assertReadBack() {
        for (int partition = 0; partition < partitions; partition++) {
            Map<Long, Long> expected = offsetToNumber.get(partition);
            Map<Long, Long> found = new ConcurrentSkipListMap<>();
            List<Long> numbers = new ArrayList<>();
            for (ConsumerRecord<Long, String> record : readAll(new TopicPartition(topic, partition))) {
                found.put(record.offset(), record.key());
                numbers.add(record.key());
                assertThat(record.value()).isEqualTo("value-" + record.key());
            }
            assertThat(found).as("partition %d", partition).containsAllEntriesOf(expected);
            List<Long> sorted = new ArrayList<>(numbers);
            Collections.sort(sorted);
            assertThat(numbers)
                    .as("order of partition %d", partition)
                    .isEqualTo(sorted)
                    .doesNotHaveDuplicates();
        }
    }

    private List<ConsumerRecord<Long, String>> readAll(TopicPartition partition) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", bootstrap,
                "key.deserializer", "org.apache.kafka.common.serialization.LongDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        List<ConsumerRecord<Long, String>> records = new ArrayList<>();
        try (KafkaConsumer<Long, String> consumer = new KafkaConsumer<>(settings)) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
            }
        }
        return records;
    }

    @Override
    public void close() {
        running = false;
        room.release(1_000_000);
        Uninterruptibly.join(thread);
    }
}
