package io.barnabas.system;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * What a plain application does, with the part of the API that every client version has. Called by reflection, so that it links against
 * the client of the class loader it is in.
 */
public final class JavaClientRoundTrip {
    private static final int RECORDS = 500;

    private JavaClientRoundTrip() {}

    /** Makes a topic, writes with every codec, reads in a group, commits; answers "ok" and the client's version, or throws. */
    public static String run(String bootstrap, String topic) throws Exception {
        Properties common = new Properties();
        common.put("bootstrap.servers", bootstrap);
        try (Admin admin = Admin.create(common)) {
            admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1))).all().get(30, TimeUnit.SECONDS);
        }
        List<String> codecs = List.of("none", "gzip", "snappy", "lz4", "zstd");
        for (String codec : codecs) {
            produce(bootstrap, topic, codec);
        }
        consume(bootstrap, topic, codecs);
        return "ok " + clientVersion();
    }

    private static String clientVersion() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            properties.load(in);
        }
        return properties.getProperty("version");
    }

    private static void produce(String bootstrap, String topic, String codec) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("compression.type", codec);
        settings.put("enable.idempotence", "true");
        settings.put("acks", "all");
        settings.put("linger.ms", "5");
        settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            List<java.util.concurrent.Future<?>> sends = new ArrayList<>();
            for (int i = 0; i < RECORDS; i++) {
                ProducerRecord<String, String> record = new ProducerRecord<>(topic, "key-" + i, codec + "-" + i);
                record.headers().add("h", new byte[] {1, 2, 3});
                sends.add(producer.send(record));
            }
            for (java.util.concurrent.Future<?> send : sends) {
                send.get(30, TimeUnit.SECONDS);
            }
        }
    }

    /** Reads everything once, in each partition in the order it was sent and without a gap, and commits its ends. */
    private static void consume(String bootstrap, String topic, List<String> codecs) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("group.id", topic + "-readers");
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        settings.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        int expected = codecs.size() * RECORDS;
        int read = 0;
        Map<TopicPartition, Integer> lastSent = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
            consumer.subscribe(Collections.singletonList(topic));
            for (int empty = 0; read < expected && empty < 60; empty++) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                    TopicPartition partition = new TopicPartition(topic, record.partition());
                    String[] codecAndNumber = record.value().split("-");
                    int sent = codecs.indexOf(codecAndNumber[0]) * RECORDS + Integer.parseInt(codecAndNumber[1]);
                    check(lastSent.getOrDefault(partition, -1) < sent, "out of order or twice: " + record);
                    OffsetAndMetadata before = ends.get(partition);
                    check(record.offset() == (before == null ? 0 : before.offset()), "a gap before " + record);
                    check(record.headers().lastHeader("h").value().length == 3, "without its header: " + record);
                    lastSent.put(partition, sent);
                    ends.put(partition, new OffsetAndMetadata(record.offset() + 1));
                    read++;
                    empty = 0;
                }
            }
            check(read == expected, "read " + read + " of " + expected);
            consumer.commitSync();
            Map<TopicPartition, Long> committed = new HashMap<>();
            consumer.committed(ends.keySet()).forEach((p, end) -> committed.put(p, end.offset()));
            ends.forEach(
                    (p, end) -> check(committed.get(p) == end.offset(), "committed " + committed + ", not " + ends));
        }
    }

    private static void check(boolean right, String message) {
        if (!right) {
            throw new IllegalStateException(message);
        }
    }
}
