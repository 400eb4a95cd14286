package io.barnabas.launcher;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A first client's first minute, played to a server whose loaded classes are being archived. */
final class Rehearsal {
    private static final String TOPIC = "rehearsal";
    private static final List<String> PAGES = List.of("/", "/health", "/metrics");

    private Rehearsal() {}

    /** Creates a topic, writes, reads as a group and looks at the console's pages. */
    static void play(String bootstrap, int httpPort) throws InterruptedException {
        try (Admin admin = BrokerAdmin.connect(bootstrap)) {
            admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1))).all().get();
            write(bootstrap);
            read(bootstrap);
            admin.listGroups().all().get();
            admin.deleteTopics(List.of(TOPIC)).all().get();
            for (String page : PAGES) {
                HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + page))
                                        .build(),
                                HttpResponse.BodyHandlers.discarding());
            }
        } catch (ExecutionException | IOException e) {
            System.err.println("barnabas: the rehearsal was cut short: " + e);
        }
    }

    private static void write(String bootstrap) throws ExecutionException, InterruptedException {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrap,
                        "max.block.ms",
                        10_000,
                        "delivery.timeout.ms",
                        10_000,
                        "request.timeout.ms",
                        5_000),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(TOPIC, "key", "value")).get();
            }
        }
    }

    private static void read(String bootstrap) {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "group.id", TOPIC, "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            boolean empty = true;
            for (int i = 0; i < 10 && empty; i++) {
                empty = consumer.poll(Duration.ofSeconds(1)).isEmpty();
            }
            consumer.commitSync(Duration.ofSeconds(5));
        }
    }
}
