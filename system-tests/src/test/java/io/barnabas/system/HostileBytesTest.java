package io.barnabas.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.wire.RandomMessages;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bytes that no client should send, for every API and version, on the wire of the real process: the connection is closed or answered, other
 * connections keep working, memory stays within a bound, nothing is appended.
 */
class HostileBytesTest {
    /** Resident memory at its peak, in bytes: a quarter more than was measured (430 to 610 MB), and well below what the heap may grow to (1 GB). */
    private static final long MEMORY_BOUND = 768L << 20;

    private static final TopicPartition GUARDED = new TopicPartition("guarded", 0);

    /** What the requests speak of now and then: a topic that they may delete, a group, a setting. */
    private static final List<String> KNOWN = List.of("fuzzed", "fuzzed-group", "retention.ms", "consumer");

    private static final int MESSAGES_A_VERSION = 4;

    /** Where a frame has its correlation id, after API and version. */
    private static final int CORRELATION_AT = 4;

    private static final short PRODUCE_VERSION = 9;

    /** Advertised, and answered with an error. */
    private static final List<Short> FORMER_PRODUCE = List.of((short) 0, (short) 1, (short) 2);

    /** How the broker's log speaks of what it did not expect. */
    private static final Pattern DEFECT = Pattern.compile(
            "failed unexpectedly|cannot be encoded|could not be given|no error response|answered twice|after its answer|defect of ours|loaded again");

    @TempDir
    static Path dir;

    static BarnabasProcess broker;
    static long seed;

    @BeforeAll
    static void start() throws Exception {
        seed = Long.getLong("seed", System.nanoTime());
        System.out.println("HostileBytesTest: seed " + seed);
        broker = BarnabasProcess.start(
                dir.resolve("data"),
                Map.of("auto.create.topics.enable", "false", "socket.listen.backlog.size", "1024"));
        try (Admin admin = admin()) {
            admin.createTopics(
                            List.of(new NewTopic(GUARDED.topic(), 1, (short) 1), new NewTopic("fuzzed", 2, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void mutated_bodies_of_every_api_and_version_hurt_nobody_else() throws Exception {
        Random random = new Random(seed);
        int sent = 0;
        for (ApiKeys api : ApiKeys.clientApis()) {
            for (short version : versions(api)) {
                for (int message = 0; message < MESSAGES_A_VERSION; message++) {
                    byte[] frame = filled(api, version, random.nextLong());
                    for (byte[] hostile : mutations(frame, random)) {
                        ByteBuffer.wrap(hostile).putInt(CORRELATION_AT, ++sent);
                        assertMet(hostile, sent, api + " version " + version);
                    }
                }
            }
            assertServes();
        }
        System.out.println("HostileBytesTest: " + sent + " hostile frames");
        assertThat(broker.alive()).isTrue();
        long peak = broker.peakResidentBytes();
        System.out.println("HostileBytesTest: at most " + (peak >> 20) + " MB resident");
        assertThat(peak).as("resident memory at its peak").isLessThan(MEMORY_BOUND);
        assertThat(endOffset(GUARDED)).isZero();
        assertThat(recordsOfTopics()).as("records in any topic").isEmpty();
        assertThat(broker.output().lines().filter(line -> DEFECT.matcher(line).find()))
                .as("what the broker takes for a defect of its own")
                .isEmpty();
    }

    /** The frame is answered, under its own correlation id, or its connection is closed; silence only where the protocol allows it. */
    private static void assertMet(byte[] frame, int correlation, String what) throws IOException {
        Exchange exchange = Exchange.of(broker.kafkaPort(), frame);
        if (exchange.outcome() == Exchange.Outcome.ANSWERED) {
            assertThat(exchange.answer().getInt())
                    .as("correlation id of the answer to %s", what)
                    .isEqualTo(correlation);
        } else if (exchange.outcome() == Exchange.Outcome.SILENT) {
            assertThat(Exchange.mayBeSilent(frame))
                    .as("silence is allowed for %s: %s", what, HexFormat.of().formatHex(frame))
                    .isTrue();
        }
    }

    /** Every version that is advertised; those of Produce begin before the protocol's. */
    private static List<Short> versions(ApiKeys api) {
        List<Short> versions = new ArrayList<>(api.allVersions());
        if (api == ApiKeys.PRODUCE) {
            versions.addAll(0, FORMER_PRODUCE);
        }
        return versions;
    }

    /** A request of nested and repeated parts, of names that are there and such as are not, as the version's schema has it. */
    private static byte[] filled(ApiKeys api, short version, long messageSeed) {
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(version)
                .setCorrelationId(7)
                .setClientId("hostile");
        short headerVersion = api.requestHeaderVersion(version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        short schema = version < api.oldestVersion() ? api.oldestVersion() : version;
        ByteBuffer body =
                new RandomMessages(messageSeed, KNOWN).bytes(api.messageType.requestSchemas()[schema]);
        if (schema
                != version) { // a former Produce is the oldest without the transactional id, which is its first field
            int length = body.getShort();
            body.position(body.position() + Math.max(0, length));
        }
        ByteBuffer buffer = ByteBuffer.allocate(header.size(cache, headerVersion) + body.remaining());
        header.write(new ByteBufferAccessor(buffer), cache, headerVersion);
        buffer.put(body);
        return buffer.array();
    }

    @Test
    void frames_with_impossible_lengths_close_their_connection() throws Exception {
        for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 104_857_601, 0, 1, 7}) {
            byte[] bytes = new byte[Math.max(0, Math.min(length, 64))];
            assertThat(Exchange.of(broker.kafkaPort(), length, bytes).outcome())
                    .as("what becomes of a frame of length %d", length)
                    .isEqualTo(Exchange.Outcome.CLOSED);
        }
        assertServes();
    }

    @Test
    void mutated_record_batches_append_nothing() throws Exception {
        Random random = new Random(seed ^ 1);
        List<Compression> codecs = List.of(
                Compression.NONE,
                Compression.gzip().build(),
                Compression.lz4().build(),
                Compression.zstd().build(),
                Compression.snappy().build());
        for (int round = 0; round < 400; round++) {
            Compression codec = codecs.get(round % codecs.size());
            ByteBuffer batch = MemoryRecords.withRecords(
                            codec,
                            new SimpleRecord(0L, "key".getBytes("UTF-8"), new byte[200]),
                            new SimpleRecord(1L, null, new byte[20]))
                    .buffer();
            byte[] bytes = new byte[batch.remaining()];
            batch.get(bytes);
            damage(bytes, random);
            assertThat(produceError(produce(bytes)))
                    .as("error of round %d: %s", round, HexFormat.of().formatHex(bytes))
                    .isNotEqualTo(Errors.NONE);
        }
        assertServes();
        assertThat(endOffset(GUARDED)).isZero();
    }

    @Test
    void five_thousand_idle_connections_are_held() throws Exception {
        List<SocketChannel> idle = new ArrayList<>();
        try {
            for (int i = 0; i < 5_000; i++) {
                idle.add(SocketChannel.open(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), broker.kafkaPort())));
            }
            assertServes();
            ByteBuffer one = ByteBuffer.allocate(1);
            for (SocketChannel channel : idle) {
                channel.configureBlocking(false);
                assertThat(channel.read(one))
                        .as("an idle connection stays open")
                        .isZero();
            }
        } finally {
            for (SocketChannel channel : idle) {
                channel.close();
            }
        }
        assertServes();
    }

    private static List<byte[]> mutations(byte[] frame, Random random) {
        List<byte[]> all = new ArrayList<>();
        all.add(java.util.Arrays.copyOf(frame, frame.length / 2));
        all.add(java.util.Arrays.copyOf(frame, Math.max(8, frame.length - 1)));
        all.add(java.util.Arrays.copyOf(frame, frame.length + 1 + random.nextInt(64)));
        for (int i = 0; i < 4; i++) {
            byte[] flipped = frame.clone();
            int from = Math.min(8, frame.length - 1);
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                flipped[from + random.nextInt(frame.length - from)] ^= (byte) (1 << random.nextInt(8));
            }
            all.add(flipped);
        }
        byte[] noise = new byte[8 + random.nextInt(200)];
        random.nextBytes(noise);
        System.arraycopy(frame, 0, noise, 0, Math.min(8, frame.length));
        all.add(noise);
        for (byte[] length : LENGTHS) {
            all.add(withLength(frame, length, random));
        }
        return all;
    }

    /** Negative and enormous, as the protocol writes lengths and counts: in 2 and 4 bytes, and as varints. */
    private static final List<byte[]> LENGTHS = List.of(
            new byte[] {-1, -2},
            new byte[] {0x7f, -1},
            new byte[] {-1, -1, -1, -2},
            new byte[] {0x7f, -1, -1, -1},
            new byte[] {0, 0x0f, 0x42, 0x40}, // a million: many elements, but allowed
            new byte[] {-1, -1, -1, -1, 0x07},
            new byte[] {-1, -1, -1, -1, 0x0f},
            new byte[] {-64, -124, 0x3d}); // the million as a varint

    private static byte[] withLength(byte[] frame, byte[] length, Random random) {
        byte[] hostile = java.util.Arrays.copyOf(frame, Math.max(frame.length, 10 + length.length));
        int from = Math.min(10, hostile.length - length.length);
        int at = from + random.nextInt(hostile.length - length.length - from + 1);
        System.arraycopy(length, 0, hostile, at, length.length);
        return hostile;
    }

    /** Half the time any bit under the CRC, left wrong; else a header field that can only be wrong, with the CRC mended. */
    private static void damage(byte[] batch, Random random) {
        int crcAt = 17;
        int attributesAt = 21;
        if (random.nextBoolean()) {
            batch[crcAt + random.nextInt(batch.length - crcAt)] ^= (byte) (1 << random.nextInt(8));
            return;
        }
        ByteBuffer fields = ByteBuffer.wrap(batch);
        switch (random.nextInt(7)) {
            case 0 -> fields.putInt(57, 1 + random.nextInt(2) * 2); // count off by one
            case 1 -> fields.putInt(57, -1 - random.nextInt(1000)); // negative count
            case 2 -> fields.putInt(57, Integer.MAX_VALUE - random.nextInt(3));
            case 3 -> fields.putInt(23, 2 + random.nextInt(Integer.MAX_VALUE - 2)); // last offset delta
            case 4 -> fields.putShort(attributesAt, (short) (fields.getShort(attributesAt) | 0x20)); // control
            case 5 -> fields.putShort(attributesAt, (short) (fields.getShort(attributesAt) | 0x07)); // no such codec
            default -> batch[16] = (byte) random.nextInt(2); // old magic
        }
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(batch, attributesAt, batch.length - attributesAt);
        fields.putInt(crcAt, (int) crc.getValue());
    }

    private static byte[] produce(byte[] records) {
        ProduceRequestData data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(1000);
        ProduceRequestData.TopicProduceData topic = new ProduceRequestData.TopicProduceData().setName(GUARDED.topic());
        topic.setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                .setIndex(0)
                .setRecords(MemoryRecords.readableRecords(ByteBuffer.wrap(records)))));
        data.topicData().add(topic);
        return frame(ApiKeys.PRODUCE, PRODUCE_VERSION, data);
    }

    private static byte[] frame(ApiKeys api, short version, ApiMessage body) {
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(version)
                .setCorrelationId(7)
                .setClientId("hostile");
        short headerVersion = api.requestHeaderVersion(version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        int size = header.size(cache, headerVersion) + body.size(cache, version);
        ByteBuffer buffer = ByteBuffer.allocate(size);
        ByteBufferAccessor accessor = new ByteBufferAccessor(buffer);
        header.write(accessor, cache, headerVersion);
        body.write(accessor, cache, version);
        return buffer.array();
    }

    /** What the one partition of a produce request was answered with. */
    private static Errors produceError(byte[] frame) throws IOException {
        Exchange exchange = Exchange.of(broker.kafkaPort(), frame);
        assertThat(exchange.outcome()).as("a produce request").isEqualTo(Exchange.Outcome.ANSWERED);
        ByteBufferAccessor answer = new ByteBufferAccessor(exchange.answer());
        assertThat(new ResponseHeaderData(answer, ApiKeys.PRODUCE.responseHeaderVersion(PRODUCE_VERSION))
                        .correlationId())
                .isEqualTo(7);
        ProduceResponseData data = new ProduceResponseData(answer, PRODUCE_VERSION);
        return Errors.forCode(data.responses()
                .find(GUARDED.topic(), Uuid.ZERO_UUID)
                .partitionResponses()
                .get(0)
                .errorCode());
    }

    @Test
    void a_version_of_produce_that_is_advertised_and_not_served_is_answered_with_its_error() throws Exception {
        for (short version : FORMER_PRODUCE) {
            ByteBuffer answer =
                    Exchange.of(broker.kafkaPort(), formerProduce(version, 1)).answer();
            assertThat(answer.getInt()).as("correlation id").isEqualTo(7);
            assertThat(answer.getInt()).as("topics").isEqualTo(1);
            byte[] topic = new byte[answer.getShort()];
            answer.get(topic);
            assertThat(new String(topic, UTF_8)).isEqualTo(GUARDED.topic());
            assertThat(answer.getInt()).as("partitions").isEqualTo(1);
            assertThat(answer.getInt()).as("partition").isZero();
            assertThat(answer.getShort()).as("error").isEqualTo(Errors.UNSUPPORTED_VERSION.code());
            assertThat(answer.getLong()).as("base offset").isEqualTo(-1);
            if (version >= 2) {
                assertThat(answer.getLong()).as("append time").isEqualTo(-1);
            }
            if (version >= 1) {
                assertThat(answer.getInt()).as("throttle time").isZero();
            }
            assertThat(answer.hasRemaining()).isFalse();
            // Without acknowledgements there is no answer, and the connection has to tell
            assertThat(Exchange.of(broker.kafkaPort(), formerProduce(version, 0))
                            .outcome())
                    .isEqualTo(Exchange.Outcome.CLOSED);
        }
        assertThat(endOffset(GUARDED)).isZero();
    }

    /** One message set, of the format that the version had. */
    private static byte[] formerProduce(short version, int acks) {
        byte[] topic = GUARDED.topic().getBytes(UTF_8);
        byte[] records = new byte[64];
        ByteBuffer frame = ByteBuffer.allocate(200)
                .putShort(ApiKeys.PRODUCE.id)
                .putShort(version)
                .putInt(7)
                .putShort((short) -1) // client id
                .putShort((short) acks)
                .putInt(1_000) // timeout
                .putInt(1)
                .putShort((short) topic.length)
                .put(topic)
                .putInt(1)
                .putInt(0)
                .putInt(records.length)
                .put(records)
                .flip();
        byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        return bytes;
    }

    private static void assertServes() throws Exception {
        try (Admin admin = admin()) {
            assertThat(admin.listTopics().names().get(30, TimeUnit.SECONDS)).contains(GUARDED.topic());
        }
    }

    private static long endOffset(TopicPartition of) throws Exception {
        try (Admin admin = admin()) {
            ListOffsetsResult result = admin.listOffsets(Map.of(of, OffsetSpec.latest()));
            return result.partitionResult(of).get(30, TimeUnit.SECONDS).offset();
        }
    }

    /** What a client finds in all topics; markers of transactions, which requests may ask for, are not records. */
    private static List<String> recordsOfTopics() throws Exception {
        List<String> found = new ArrayList<>();
        try (Admin admin = admin();
                KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of(
                        "bootstrap.servers", broker.bootstrap(),
                        "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                        "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer"))) {
            Set<String> topics = admin.listTopics().names().get(30, TimeUnit.SECONDS);
            List<TopicPartition> partitions =
                    admin.describeTopics(topics).allTopicNames().get(30, TimeUnit.SECONDS).values().stream()
                            .flatMap(topic -> topic.partitions().stream()
                                    .map(partition -> new TopicPartition(topic.name(), partition.partition())))
                            .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            for (TopicPartition partition : partitions) {
                Awaitility.await("reading " + partition)
                        .atMost(Duration.ofSeconds(30))
                        .pollDelay(Duration.ZERO)
                        .until(() -> {
                            consumer.poll(Duration.ofMillis(100)).forEach(record -> found.add(record.toString()));
                            return consumer.position(partition) >= ends.get(partition);
                        });
            }
        }
        return found;
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
    }
}
