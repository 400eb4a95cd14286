package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
    private final List<NumbersByOffset> written = new ArrayList<>(); // acknowledged, for each partition
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
            written.add(new NumbersByOffset());
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
                    } else if (!written.get(partition).put(where.offset(), sent)) {
                        failure = new AssertionError("two records are acknowledged at " + where);
                    } else {
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
            assertReadBack(new TopicPartition(topic, partition), written.get(partition));
        }
    }

    private void assertReadBack(TopicPartition partition, NumbersByOffset expected) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", bootstrap,
                "key.deserializer", "org.apache.kafka.common.serialization.LongDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        long found = 0;
        long last = -1;
        try (KafkaConsumer<Long, String> consumer = new KafkaConsumer<>(settings)) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<Long, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    long number = record.key();
                    if (number <= last || !record.value().equals("value-" + number)) {
                        throw new AssertionError(
                                "out of order, twice or changed, after number " + last + ": " + record);
                    }
                    long acknowledgedThere = expected.at(record.offset());
                    if (acknowledgedThere != NumbersByOffset.NONE) {
                        assertThat(number)
                                .as("what was acknowledged at %s", record)
                                .isEqualTo(acknowledgedThere);
                        found++;
                    }
                    last = number;
                }
            }
        }
        assertThat(found)
                .as("acknowledged records of %s that are there", partition)
                .isEqualTo(expected.count());
    }

    /** Numbers of records by their offsets, of which there may be millions. */
    private static final class NumbersByOffset {
        static final long NONE = -1;
        private long[] numbers = new long[0];
        private long count;

        /** False if there is one already. */
        synchronized boolean put(long offset, long number) {
            int index = Math.toIntExact(offset);
            if (index >= numbers.length) {
                int before = numbers.length;
                numbers = Arrays.copyOf(numbers, Math.max(1 << 16, Math.max(index + 1, before + before / 2)));
                Arrays.fill(numbers, before, numbers.length, NONE);
            }
            if (numbers[index] != NONE) {
                return false;
            }
            numbers[index] = number;
            count++;
            return true;
        }

        synchronized long at(long offset) {
            return offset < numbers.length ? numbers[Math.toIntExact(offset)] : NONE;
        }

        synchronized long count() {
            return count;
        }
    }

    @Override
    public void close() {
        running = false;
        room.release(1_000_000);
        Uninterruptibly.join(thread);
    }
}
