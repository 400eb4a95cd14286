package io.barnabas.system.bench;

import static io.barnabas.system.bench.GroupBench.say;

import io.barnabas.system.bench.GroupBench.Broker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** How long a stock consumer waits for its first record, from its first poll on. */
final class FirstRecordScene {
    private static final int PARTITIONS = 10;
    private static final int PRESENT = 4;
    private static final int LANES = 3;
    private static final Duration POLL = Duration.ofMillis(100);
    private static final long TRICKLE_MS = 2;
    private static final long CALM_MS = 12_000; // two heartbeats of the consumer protocol

    private final Broker broker;
    private final GroupType protocol;
    private volatile boolean running = true;
    private volatile Throwable failure;

    FirstRecordScene(Broker broker, GroupType protocol) {
        this.broker = broker;
        this.protocol = protocol;
    }

    /** Each time in a group that is new. */
    void alone(int rounds) throws Exception {
        try (Topics topics = new Topics(broker.bootstrap(), 1, PARTITIONS)) {
            Thread trickle = start(() -> trickle(topics.name()));
            Topics.pause(1_000);
            say(protocol + ".alone", newGroups(topics.name(), rounds), "ms");
            running = false;
            trickle.join();
        }
    }

    /** Each time in a group of four. */
    void fifth(int rounds) throws Exception {
        List<Thread> threads = new ArrayList<>();
        try (Topics topics = new Topics(broker.bootstrap(), 1, PARTITIONS)) {
            threads.add(start(() -> trickle(topics.name())));
            Samples samples = new Samples();
            List<Thread> lanes = new ArrayList<>();
            for (int lane = 0; lane < LANES; lane++) {
                String group = "bench-" + Uuid.randomUuid();
                for (int i = 0; i < PRESENT; i++) {
                    threads.add(start(() -> poll(topics.name(), group)));
                }
                lanes.add(start(() -> join(topics.name(), group, samples, (rounds + LANES - 1) / LANES)));
                Topics.pause(1_300); // the lanes' heartbeats are not to fall together
            }
            for (Thread lane : lanes) {
                lane.join();
            }
            running = false;
            for (Thread thread : threads) {
                thread.join();
            }
            if (failure != null) {
                throw new IllegalStateException(failure);
            }
            say(protocol + ".fifth", samples, "ms");
        }
    }

    private Thread start(Runnable task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                failure = e;
                running = false;
            }
        });
        thread.start();
        return thread;
    }

    private KafkaConsumer<byte[], byte[]> consumer(String group) {
        return new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        broker.bootstrap(),
                        "group.id",
                        group,
                        "group.protocol",
                        protocol.toString().toLowerCase(Locale.ROOT),
                        "auto.offset.reset",
                        "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    private Samples newGroups(String topic, int rounds) {
        Samples samples = new Samples();
        for (int round = -2; round < rounds; round++) {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("bench-" + Uuid.randomUuid())) {
                consumer.subscribe(List.of(topic));
                double ms = first(consumer);
                if (round >= 0) {
                    samples.add(ms);
                }
            }
        }
        return samples;
    }

    private double first(KafkaConsumer<byte[], byte[]> consumer) {
        long from = System.nanoTime();
        while (consumer.poll(POLL).isEmpty() && running) {
            // none yet
        }
        return (System.nanoTime() - from) / 1e6;
    }

    /** One that is there all the time. */
    private void poll(String topic, String group) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(group)) {
            consumer.subscribe(List.of(topic));
            while (running) {
                consumer.poll(POLL);
            }
        }
    }

    private void join(String topic, String group, Samples samples, int rounds) {
        for (int round = 0; round < rounds && running; round++) {
            Topics.pause(CALM_MS + 370L * round); // at another time of the others' heartbeats
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(group)) {
                consumer.subscribe(List.of(topic));
                double ms = first(consumer);
                synchronized (samples) {
                    samples.add(ms);
                }
            }
        }
    }

    /** A record for each partition in turn, all the time. */
    private void trickle(String topic) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrap(), "linger.ms", "0"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int i = 0; running; i++) {
                producer.send(new ProducerRecord<>(topic, i % PARTITIONS, null, new byte[100]));
                Topics.pause(TRICKLE_MS);
            }
        }
    }
}
