package io.barnabas.log;

import static io.barnabas.log.ProducedBatch.NOW;
import static io.barnabas.log.ProducedBatch.records;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Random;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our verdict on random good and damaged batches against kafka-clients' full reading of the same bytes. */
class RecordBatchMutationTest {
    private static final int GOOD = 300;
    private static final int DAMAGED = 4_000;

    private final RecordBatchValidator validator = new RecordBatchValidator();
    private final LogConfig config = LogConfig.defaults();

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void every_batch_a_producer_can_make_is_accepted_with_its_counts(CompressionType codec) {
        for (int seed = 0; seed < GOOD; seed++) {
            Random random = new Random(seed);
            ByteBuffer batch = randomBatch(random, codec);
            MutableRecordBatch asKafka = RecordBatchValidatorTest.onlyBatch(ProducedBatch.direct(batch));
            long maxTimestamp = -1;
            int count = 0;
            for (Record record : asKafka) {
                maxTimestamp = Math.max(maxTimestamp, record.timestamp());
                count++;
            }

            BatchValidator.ValidatedBatch result = validator.validate(records(batch), AppendOrigin.CLIENT, config, NOW);

            assertThat(result.records()).as("seed %d", seed).isEqualTo(count);
            assertThat(BatchHeader.maxTimestamp(result.buffer(), 0))
                    .as("seed %d", seed)
                    .isEqualTo(maxTimestamp);
            assertThat(BatchHeader.crcMatches(result.buffer(), 0, batch.limit()))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void a_damaged_batch_is_refused_by_code_or_is_one_that_kafka_reads_whole(CompressionType codec) {
        int refused = 0;
        for (int seed = 0; seed < DAMAGED; seed++) {
            Random random = new Random(seed);
            ByteBuffer batch = damage(random, randomBatch(random, codec));
            if (verdict(seed, batch) != Errors.NONE) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(DAMAGED / 4);
    }

    /** The error, or NONE if accepted, in which case kafka-clients must read as many records from it. */
    private Errors verdict(int seed, ByteBuffer batch) {
        try {
            BatchValidator.ValidatedBatch result = validator.validate(records(batch), AppendOrigin.CLIENT, config, NOW);
            int count = 0;
            long offset = 0;
            for (Record record : RecordBatchValidatorTest.onlyBatch(result.buffer())) {
                assertThat(record.offset()).as("seed %d", seed).isEqualTo(offset++);
                count++;
            }
            assertThat(result.records()).as("seed %d", seed).isEqualTo(count);
            return Errors.NONE;
        } catch (ApiException e) {
            Errors error = Errors.forException(e);
            assertThat(error).as("seed %d: %s", seed, e).isNotEqualTo(Errors.UNKNOWN_SERVER_ERROR);
            return error;
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** One to three bytes or a length changed, mostly behind the CRC, which is made right again in most cases. */
    private static ByteBuffer damage(Random random, ByteBuffer batch) {
        ByteBuffer bad = ProducedBatch.direct(batch);
        int first = random.nextInt(4) == 0 ? 0 : random.nextBoolean() ? BatchHeader.ATTRIBUTES : BatchHeader.SIZE;
        for (int i = 0; i <= random.nextInt(3); i++) {
            int at = first + random.nextInt(bad.limit() - first);
            bad.put(
                    at,
                    random.nextBoolean() ? (byte) random.nextInt() : (byte) (bad.get(at) ^ (1 << random.nextInt(8))));
        }
        if (random.nextInt(5) == 0) {
            bad.limit(Math.max(BatchHeader.SIZE, bad.limit() - 1 - random.nextInt(20)));
            bad.putInt(BatchHeader.LENGTH, bad.limit() - BatchHeader.LENGTH_OVERHEAD);
        }
        if (random.nextInt(20) != 0) {
            BatchHeader.stampCrc(bad, 0, bad.limit());
        }
        return bad;
    }

    static ByteBuffer randomBatch(Random random, CompressionType codec) {
        SimpleRecord[] all = new SimpleRecord[1 + random.nextInt(random.nextInt(10) == 0 ? 300 : 8)];
        for (int i = 0; i < all.length; i++) {
            Header[] headers = new Header[random.nextInt(3)];
            for (int h = 0; h < headers.length; h++) {
                headers[h] =
                        new RecordHeader("h" + h, Objects.requireNonNullElse(randomBytes(random, 20), new byte[0]));
            }
            long timestamp = random.nextInt(20) == 0 ? -1L : NOW + random.nextInt(2_000_000) - 1_000_000;
            all[i] = new SimpleRecord(timestamp, randomBytes(random, 30), randomBytes(random, 400), headers);
        }
        return random.nextBoolean()
                ? ProducedBatch.of(codec, all)
                : ProducedBatch.of(codec, random.nextInt(1000), (short) 3, random.nextInt(1000), all);
    }

    private static byte @Nullable [] randomBytes(Random random, int upTo) {
        if (random.nextInt(6) == 0) {
            return null;
        }
        byte[] bytes = new byte[random.nextInt(upTo)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt() : 'a');
        }
        return bytes;
    }

    /** A stream of zeroes far beyond the bound on what a batch may inflate to, in one record that claims two gigabytes. */
    @ParameterizedTest
    @EnumSource(names = {"GZIP", "SNAPPY", "LZ4", "ZSTD"})
    void a_decompression_bomb_is_refused_within_bounded_memory(CompressionType codec) throws IOException {
        ByteBuffer bomb = bomb(codec);
        refuse(bomb); // classes and buffers are loaded
        long before = allocatedBytes();

        refuse(bomb);

        assertThat(allocatedBytes() - before).isLessThan(8L << 20);
    }

    private void refuse(ByteBuffer bomb) {
        LogConfig large = largeBatches();
        try {
            validator.validate(records(bomb), AppendOrigin.CLIENT, large, NOW);
            fail("accepted");
        } catch (InvalidRecordException expected) {
            assertThat(Errors.forException(expected)).isEqualTo(Errors.INVALID_RECORD);
        }
    }

    private static LogConfig largeBatches() {
        TopicSettings settings = new TopicSettings();
        settings.maxMessageBytes = 100 << 20;
        return settings.build();
    }

    private static ByteBuffer bomb(CompressionType codec) throws IOException {
        ByteBuffer record = ByteBuffer.allocate(100);
        ByteUtils.writeVarint(2_000_000_000, record);
        record.put(new byte[] {0, 0, 0, 1}); // attributes, timestamp, offset, null key
        ByteUtils.writeVarint(1_900_000_000, record);
        ByteBufferOutputStream out = new ByteBufferOutputStream(1 << 20);
        try (OutputStream packed = Compression.of(codec).build().wrapForOutput(out, (byte) 2)) {
            packed.write(record.array(), 0, record.position());
            byte[] zeroes = new byte[1 << 20];
            long inflated = 0;
            while (inflated <= RecordReader.MAX_INFLATED_BYTES) {
                packed.write(zeroes);
                inflated += zeroes.length;
            }
        }
        byte[] payload = new byte[out.position()];
        out.buffer().flip().get(payload);
        ByteBuffer header = ProducedBatch.of(codec, ProducedBatch.record("k", "v"));
        return ProducedBatch.withPayload(header, payload);
    }

    @Test
    void a_snappy_length_that_cannot_be_true_costs_nothing() {
        byte[][] payloads = {
            {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x07, 1, 2, 3}, // unframed, claims two gigabytes
            framed(new byte[] {0x1f, (byte) 0xff, (byte) 0xff, 0, 1, 2}), // a block of half a gigabyte
            framed(new byte[] {0, 0, 0, 6, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x01, 1}),
        };
        for (byte[] payload : payloads) {
            ByteBuffer header = ProducedBatch.of(CompressionType.SNAPPY, ProducedBatch.record("k", "v"));
            ByteBuffer batch = ProducedBatch.withPayload(header, payload);
            refuse(batch);
            long before = allocatedBytes();
            refuse(batch);
            assertThat(allocatedBytes() - before).isLessThan(1L << 20);
        }
    }

    private static byte[] framed(byte[] blocks) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1});
        out.writeBytes(blocks);
        return out.toByteArray();
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    @Test
    void validating_an_uncompressed_batch_allocates_nothing_per_record() {
        SimpleRecord[] many = new SimpleRecord[10_000];
        java.util.Arrays.fill(many, ProducedBatch.record("key", "value"));
        ByteBuffer batch = ProducedBatch.of(CompressionType.NONE, many);
        for (int i = 0; i < 50; i++) {
            validator.validate(records(batch), AppendOrigin.CLIENT, config, NOW);
        }
        long before = allocatedBytes();

        validator.validate(records(batch), AppendOrigin.CLIENT, config, NOW);

        assertThat(allocatedBytes() - before).isLessThan(2_000L);
    }
}
