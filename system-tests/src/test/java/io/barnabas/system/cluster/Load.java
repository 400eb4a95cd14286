package io.barnabas.system.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * An idempotent producer with acks=all that sends numbers at a steady rate to partition 0 of a topic, come what may, and a reader that
 * follows from the beginning. Both are stock clients. What was acknowledged, what was read and what is there at the end make the {@link
 * Verdict}.
 *
 * <p>Threads: one sends, one reads; acknowledgements come on the producer's own.
 */
final class Load implements AutoCloseable {
    /** A client that is to notice a silent broker sooner than by the default of half a minute. */
    private static final int REQUEST_TIMEOUT_MS = 3_000;

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    /** A cluster has come to itself again after that. */
    private static final Duration SETTLING = Duration.ofSeconds(30);

    private final String bootstrap;
    private final TopicPartition partition;
    private final long intervalNanos;
    private final Map<Long, Long> acknowledged = new ConcurrentHashMap<>(); // offset by number
    private final Map<Long, Long> seen =
            new HashMap<>(); // number by offset, of the reader's thread until that has ended
    private final AtomicInteger failed = new AtomicInteger();
    private final AcknowledgementTimes times = new AcknowledgementTimes();
    private final Thread sender;
    private final Thread reader;
    private volatile Exception firstFailure;
    private volatile Throwable broken;
    private volatile boolean sending = true;
    private volatile boolean reading = true;

    /** @param ratePerSecond records a second */
    Load(String bootstrap, String topic, int ratePerSecond) {
        this.bootstrap = bootstrap;
        partition = new TopicPartition(topic, 0);
        intervalNanos = Duration.ofSeconds(1).toNanos() / ratePerSecond;
        sender = new Thread(() -> guarded(this::send), "load-sender");
        reader = new Thread(() -> guarded(this::read), "load-reader");
        sender.start();
        reader.start();
    }

    private void guarded(Runnable life) {
        try {
            life.run();
        } catch (RuntimeException | Error e) {
            broken = e;
        }
    }

    private void send() {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                bootstrap,
                "acks",
                "all",
                "enable.idempotence",
                "true",
                "request.timeout.ms",
                REQUEST_TIMEOUT_MS,
                "delivery.timeout.ms",
                (int) PATIENCE.toMillis(),
                "max.block.ms",
                PATIENCE.toMillis(),
                "key.serializer",
                "org.apache.kafka.common.serialization.LongSerializer",
                "value.serializer",
                "org.apache.kafka.common.serialization.LongSerializer");
        try (KafkaProducer<Long, Long> producer = new KafkaProducer<>(settings)) {
            long due = System.nanoTime();
            for (long number = 0; sending; number++) {
                long sent = number;
                producer.send(new ProducerRecord<>(partition.topic(), 0, sent, sent), (where, error) -> {
                    if (error != null) {
                        fail(error);
                    } else {
                        times.add(System.nanoTime());
                        acknowledged.put(sent, where.offset());
                    }
                });
                due += intervalNanos;
                Pause.of(Duration.ofNanos(due - System.nanoTime()));
            }
        }
    }

    private void fail(Exception error) {
        if (failed.getAndIncrement() == 0) {
            firstFailure = error;
        }
    }

    private KafkaConsumer<Long, Long> consumer() {
        KafkaConsumer<Long, Long> consumer = new KafkaConsumer<>(Map.of(
                "bootstrap.servers",
                bootstrap,
                "auto.offset.reset",
                "earliest",
                "request.timeout.ms",
                REQUEST_TIMEOUT_MS,
                "default.api.timeout.ms",
                (int) PATIENCE.toMillis(),
                "key.deserializer",
                "org.apache.kafka.common.serialization.LongDeserializer",
                "value.deserializer",
                "org.apache.kafka.common.serialization.LongDeserializer"));
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        return consumer;
    }

    private void read() {
        try (KafkaConsumer<Long, Long> consumer = consumer()) {
            while (reading) {
                for (ConsumerRecord<Long, Long> record : consumer.poll(Duration.ofMillis(200))) {
                    seen.putIfAbsent(record.offset(), record.value());
                }
            }
        }
    }

    AcknowledgementTimes times() {
        return times;
    }

    /** Waits until something is acknowledged again after this moment, and that for a while. */
    void awaitFlow(Duration flowing) {
        long patience = System.nanoTime() + PATIENCE.toNanos();
        for (int i = 0; i < 2; i++) {
            int before = times.count();
            while (times.count() < before + 2) {
                if (broken != null || System.nanoTime() > patience) {
                    throw new AssertionError(
                            "no record is acknowledged any more; first failure " + firstFailure, broken);
                }
                Pause.of(Duration.ofMillis(5));
            }
            if (i == 0) {
                Pause.of(flowing);
            }
        }
    }

    /** Ends sending and reading, reads all that is there and says what became of the records. */
    Verdict stop() {
        end();
        if (broken != null) {
            throw new AssertionError("the load broke off", broken);
        }
        return Verdict.of(acknowledged, seen, log(), failed.get(), firstFailure);
    }

    /**
     * Reads all that is there now from its leader, where nothing may be another than was acknowledged.
     *
     * @return whether a reader takes all of it: a damaged batch it refuses
     */
    boolean isReadable() {
        Map<Long, Long> there = new HashMap<>();
        try {
            log().forEach(entry -> there.put(entry.offset(), entry.number()));
        } catch (AssertionError unreadable) {
            System.out.println(unreadable.getCause());
            return false;
        }
        acknowledged.forEach((number, offset) -> {
            Long found = there.get(offset);
            if (found != null && !found.equals(number)) {
                throw new AssertionError("offset " + offset + " holds " + found + " and was said to hold " + number);
            }
        });
        return true;
    }

    private List<Verdict.Entry> log() {
        List<Verdict.Entry> log = new ArrayList<>();
        long until = System.nanoTime() + PATIENCE.toNanos();
        try (KafkaConsumer<Long, Long> consumer = consumer()) {
            long end = end(consumer);
            while (consumer.position(partition) < end) {
                if (System.nanoTime() > until) {
                    throw new AssertionError("the end of " + partition + ", " + end + ", is not reached: at "
                            + consumer.position(partition));
                }
                consumer.poll(Duration.ofMillis(500))
                        .forEach(record -> log.add(new Verdict.Entry(record.offset(), record.value())));
            }
        } catch (KafkaException e) {
            throw new AssertionError("the log cannot be read", e);
        }
        return log;
    }

    /** The log's end, as the leader has it: one that led before may not have heard of that yet, and names an earlier one. */
    private long end(KafkaConsumer<Long, Long> consumer) {
        long least =
                acknowledged.values().stream().mapToLong(Long::longValue).max().orElse(-1) + 1;
        long until = System.nanoTime() + SETTLING.toNanos();
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        while (end < least && System.nanoTime() < until) { // else it is lost, and the verdict says so
            Pause.of(Duration.ofMillis(200));
            end = consumer.endOffsets(List.of(partition)).get(partition);
        }
        return end;
    }

    private void end() {
        sending = false;
        join(sender);
        reading = false;
        join(reader);
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        end();
    }
}
