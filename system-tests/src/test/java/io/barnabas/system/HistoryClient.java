package io.barnabas.system;

import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import io.barnabas.system.checker.Poll;
import io.barnabas.system.checker.Read;
import io.barnabas.system.checker.Send;
import io.barnabas.system.checker.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * A client of the workload, with a thread of its own, that writes down what it does and sees. It lives a life, with new producers and
 * consumers, until something ends that, then the next one.
 */
abstract class HistoryClient implements Runnable {
    static final String IN = "in";
    static final String OUT = "out";
    static final int PARTITIONS = 3;

    private static final AtomicLong VALUES = new AtomicLong(1); // unique over all clients

    final Random random;
    private final String name;
    private final String bootstrap;
    private final List<Operation> operations = new ArrayList<>(); // of the client's thread until that has ended
    private final Map<String, Integer> ends = new TreeMap<>(); // the same: what ended its lives
    private final Set<TopicPartition> repositioned = new HashSet<>();
    private volatile boolean running = true;
    private int life;

    HistoryClient(String name, String bootstrap, long seed) {
        this.name = name;
        this.bootstrap = bootstrap;
        this.random = new Random(seed + name.hashCode());
    }

    /** One life: ends by an exception of the client library, by return, or when the workload does. */
    abstract void live();

    @Override
    public void run() {
        while (running) {
            life++;
            repositioned.clear();
            try {
                live();
            } catch (RuntimeException e) {
                ends.merge(e.getClass().getSimpleName() + " " + e.getMessage(), 1, Integer::sum);
                pause(200);
            }
        }
    }

    /** The client stops when it has ended what it is about. */
    void stop() {
        running = false;
    }

    boolean running() {
        return running;
    }

    String name() {
        return name;
    }

    /** What it did; for whoever has seen its thread end. */
    List<Operation> operations() {
        return operations;
    }

    /** What ended its lives, each with its count; for whoever has seen its thread end. */
    Map<String, Integer> ends() {
        return ends;
    }

    Operation.Recording begin(Operation.Kind kind) {
        return Operation.begin(name + "-" + life, kind);
    }

    void record(Operation operation) {
        operations.add(operation);
    }

    void pause(int ms) {
        LockSupport.parkNanos(1_000_000L * (1 + random.nextInt(ms)));
    }

    /** A value under way. */
    record Pending(ProducerRecord<byte[], Long> record, Optional<Source> source, Future<RecordMetadata> ack) {}

    TopicPartition anyPartition() {
        return new TopicPartition(random.nextBoolean() ? IN : OUT, random.nextInt(PARTITIONS));
    }

    Pending send(KafkaProducer<byte[], Long> producer, TopicPartition to, Optional<Source> source) {
        ProducerRecord<byte[], Long> next =
                new ProducerRecord<>(to.topic(), to.partition(), null, VALUES.getAndIncrement());
        return new Pending(next, source, producer.send(next));
    }

    /** Waits for the answers to sends and writes them down. */
    void settle(List<Pending> sends, Operation.Recording operation) {
        for (Pending send : sends) {
            TopicPartition to = new TopicPartition(send.record.topic(), send.record.partition());
            long value = send.record.value();
            try {
                RecordMetadata at = send.ack.get();
                long offset = at.hasOffset() ? at.offset() : -1;
                operation.sent(new Send(to, value, offset, Outcome.OK, send.source));
            } catch (ExecutionException unknown) {
                operation.sent(new Send(to, value, -1, Outcome.UNKNOWN, send.source));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        sends.clear();
    }

    /** Polls once. */
    Poll poll(KafkaConsumer<byte[], Long> consumer, int ms) {
        List<Read> reads = new ArrayList<>();
        for (ConsumerRecord<byte[], Long> found : consumer.poll(Duration.ofMillis(ms))) {
            reads.add(new Read(new TopicPartition(found.topic(), found.partition()), found.offset(), found.value()));
        }
        Poll poll = new Poll(System.nanoTime(), repositioned, reads);
        if (!reads.isEmpty()) {
            repositioned.clear();
        }
        return poll;
    }

    /** The offsets after what a poll has read. */
    static Map<TopicPartition, Long> after(Poll poll) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        poll.reads().forEach(read -> offsets.merge(read.partition(), read.offset() + 1, Math::max));
        return offsets;
    }

    /** From here on these partitions are read from somewhere else. */
    void moved(Collection<TopicPartition> partitions) {
        repositioned.addAll(partitions);
    }

    ConsumerRebalanceListener moves() {
        return new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                moved(partitions);
            }

            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                moved(partitions);
            }
        };
    }

    KafkaProducer<byte[], Long> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of(
                "bootstrap.servers", bootstrap,
                "acks", "all",
                "linger.ms", 2,
                "request.timeout.ms", 5_000,
                "delivery.timeout.ms", 30_000,
                "max.block.ms", 20_000,
                "reconnect.backoff.max.ms", 500,
                "key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer",
                "value.serializer", "org.apache.kafka.common.serialization.LongSerializer"));
        settings.putAll(more);
        return new KafkaProducer<>(settings);
    }

    KafkaConsumer<byte[], Long> consumer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                bootstrap,
                "enable.auto.commit",
                false,
                "max.poll.records",
                100,
                "request.timeout.ms",
                10_000,
                "default.api.timeout.ms",
                20_000,
                "reconnect.backoff.max.ms",
                500,
                "isolation.level",
                "read_committed",
                "auto.offset.reset",
                "earliest",
                "key.deserializer",
                "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer",
                "org.apache.kafka.common.serialization.LongDeserializer"));
        settings.putAll(more);
        return new KafkaConsumer<>(settings);
    }

    /** For a consumer in a group of that protocol. */
    static Map<String, Object> member(String group, String protocol) {
        Map<String, Object> settings = new HashMap<>(Map.of("group.id", group, "group.protocol", protocol));
        if (protocol.equals("classic")) {
            settings.put("session.timeout.ms", 10_000);
            settings.put("heartbeat.interval.ms", 1_000);
        }
        return settings;
    }

    static List<TopicPartition> allPartitions() {
        List<TopicPartition> all = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            all.add(new TopicPartition(IN, i));
            all.add(new TopicPartition(OUT, i));
        }
        return all;
    }
}
