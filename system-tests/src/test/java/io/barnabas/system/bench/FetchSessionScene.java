package io.barnabas.system.bench;

import static io.barnabas.system.bench.GroupBench.say;

import io.barnabas.system.bench.GroupBench.Broker;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A fetch session of 5,000 partitions: what an incremental fetch that finds nothing costs, and one of a trickle of records. */
final class FetchSessionScene {
    private static final int TOPICS = 50;
    private static final int PARTITIONS = 100; // each
    private static final int VERSION = 16;
    private static final int FETCH_BYTES = 1 << 20;
    private static final int MAX_BYTES = 50 << 20;
    private static final int RETRY_MS = 500;
    private static final int LONG_POLL_MS = 500;
    private static final int MEASURED_MS = 4_000;
    private static final long TRICKLE_MS = 5;
    private static final int TIMEOUT_MS = 60_000;

    private final Broker broker;
    private WireLoop.Connection connection;
    private int sessionId;
    private int sessionEpoch;
    private long fetches;
    private long records;
    private List<FetchTopic> moved = List.of(); // what the next fetch has to say
    private boolean answered;
    private int errors;

    FetchSessionScene(Broker broker) {
        this.broker = broker;
    }

    void run(int rounds) throws Exception {
        Samples empty = new Samples();
        Samples trickle = new Samples();
        Samples rate = new Samples();
        try (Topics topics = new Topics(broker.bootstrap(), TOPICS, PARTITIONS);
                WireLoop loop = new WireLoop(broker.bootstrap())) {
            open(loop, topics);
            for (int round = 0; round <= rounds; round++) {
                long before = fetches;
                double cpu = cpu(loop, 0);
                if (round > 0) {
                    empty.add(cpu * 1e6 / (fetches - before));
                    rate.add((fetches - before) * 1_000.0 / MEASURED_MS);
                }
                before = records;
                cpu = cpuOfTrickle(loop, topics);
                if (round > 0) {
                    trickle.add(cpu * 1e6 / (records - before));
                }
            }
        }
        say("session.empty.cpu", empty, "us/fetch");
        say("session.empty.rate", rate, "1/s");
        say("session.trickle.cpu", trickle, "us/record");
    }

    private void open(WireLoop loop, Topics topics) throws Exception {
        connection = loop.connect();
        FetchRequestData request = request(0);
        for (String name : topics.names()) {
            FetchTopic topic = new FetchTopic().setTopicId(topics.id(name));
            for (int partition = 0; partition < PARTITIONS; partition++) {
                topic.partitions().add(partition(partition, 0));
            }
            request.topics().add(topic);
        }
        send(request);
        loop.run(TIMEOUT_MS, () -> answered);
        while (errors > 0) { // partitions that have no leader yet
            loop.run(RETRY_MS);
            errors = 0;
            send(request(0));
            loop.run(TIMEOUT_MS, () -> answered);
        }
    }

    private static FetchPartition partition(int index, long offset) {
        return new FetchPartition().setPartition(index).setFetchOffset(offset).setPartitionMaxBytes(FETCH_BYTES);
    }

    private FetchRequestData request(int maxWaitMs) {
        return new FetchRequestData()
                .setMaxWaitMs(maxWaitMs)
                .setMinBytes(1)
                .setMaxBytes(MAX_BYTES)
                .setSessionId(sessionId)
                .setSessionEpoch(sessionEpoch++)
                .setTopics(new ArrayList<>(moved));
    }

    private void send(FetchRequestData request) {
        answered = false;
        connection.send(request, VERSION, answer -> onAnswer((FetchResponseData) answer));
    }

    private void onAnswer(FetchResponseData response) {
        WireMember.check(response.errorCode());
        sessionId = response.sessionId();
        fetches++;
        List<FetchTopic> next = new ArrayList<>();
        for (FetchableTopicResponse topic : response.responses()) {
            FetchTopic ofTopic = new FetchTopic().setTopicId(topic.topicId());
            topic.partitions().forEach(partition -> {
                errors += partition.errorCode() == 0 ? 0 : 1;
                long offset = -1;
                for (RecordBatch batch : ((MemoryRecords) partition.records()).batches()) {
                    offset = batch.nextOffset();
                    records += batch.countOrNull();
                }
                if (offset >= 0) {
                    ofTopic.partitions().add(partition(partition.partitionIndex(), offset));
                }
            });
            if (!ofTopic.partitions().isEmpty()) {
                next.add(ofTopic);
            }
        }
        moved = next;
        answered = true;
    }

    /** Fetches again and again. */
    private double cpu(WireLoop loop, int maxWaitMs) throws Exception {
        double before = broker.cpu().seconds();
        long end = System.nanoTime() + MEASURED_MS * 1_000_000L;
        while (System.nanoTime() - end < 0) {
            send(request(maxWaitMs));
            loop.run(TIMEOUT_MS, () -> answered);
        }
        if (errors > 0) {
            throw new IllegalStateException(errors + " partitions were answered with errors");
        }
        return broker.cpu().seconds() - before;
    }

    private double cpuOfTrickle(WireLoop loop, Topics topics) throws Exception {
        AtomicBoolean running = new AtomicBoolean(true);
        Thread producing = new Thread(() -> trickle(topics.names(), running));
        producing.start();
        Topics.pause(1_000);
        double cpu = cpu(loop, LONG_POLL_MS);
        running.set(false);
        producing.join();
        return cpu;
    }

    private void trickle(List<String> topics, AtomicBoolean running) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        broker.bootstrap(),
                        "linger.ms",
                        "0",
                        "client.id",
                        Uuid.randomUuid().toString()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int i = 0; running.get(); i++) {
                String topic = topics.get(i % topics.size());
                producer.send(new ProducerRecord<>(topic, i / topics.size() % PARTITIONS, null, new byte[100]));
                Topics.pause(TRICKLE_MS);
            }
        }
    }
}
