package io.barnabas.log;

import static io.barnabas.log.ProducedBatch.NOW;
import static io.barnabas.log.ProducedBatch.damaged;
import static io.barnabas.log.ProducedBatch.record;
import static io.barnabas.log.ProducedBatch.records;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One test for each check of a broker on Produce. */
class RecordBatchValidatorTest {
    private final RecordBatchValidator validator = new RecordBatchValidator();
    private final TopicSettings topic = new TopicSettings();

    private BatchValidator.ValidatedBatch validate(ByteBuffer batch) {
        return validator.validate(records(batch), AppendOrigin.CLIENT, topic.build(), NOW);
    }

    private static ByteBuffer plain() {
        return ProducedBatch.of(CompressionType.NONE, record("a", "1"), record("b", "2"), record("c", "3"));
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void a_good_batch_passes_uncopied(CompressionType codec) {
        ByteBuffer batch = ProducedBatch.of(codec, 7L, (short) 0, 0, record("a", "1"), record(null, null));

        BatchValidator.ValidatedBatch result = validate(batch);

        assertThat(result.records()).isEqualTo(2);
        assertThat(result.logAppendTimeMs()).isEqualTo(-1);
        result.buffer().putLong(0, 4711L); // what came is what goes on: the stamp shows in it
        assertThat(batch.getLong(0)).isEqualTo(4711L);
    }

    @Test
    void no_batch_is_invalid() {
        assertInvalidRecord(ByteBuffer.allocate(0));
        assertInvalidRecord(plain().limit(11));
        assertInvalidRecord(plain().limit(16));
    }

    @Test
    void a_batch_cut_short_is_invalid() {
        ByteBuffer batch = plain();
        assertInvalidRecord(batch.limit(batch.limit() - 1));
    }

    @Test
    void two_batches_are_invalid() {
        ByteBuffer one = plain();
        ByteBuffer two = ByteBuffer.allocateDirect(one.limit() * 2);
        two.put(one.duplicate()).put(one.duplicate()).flip();
        assertInvalidRecord(two);
    }

    @Test
    void a_second_batch_of_another_magic_is_invalid() {
        ByteBuffer one = plain();
        ByteBuffer two = ByteBuffer.allocateDirect(one.limit() * 2);
        two.put(one.duplicate()).put(one.duplicate()).flip();
        two.put(one.limit() + BatchHeader.MAGIC, (byte) 1);
        assertInvalidRecord(two);
    }

    @Test
    void bytes_after_the_batch_are_invalid() {
        ByteBuffer one = plain();
        ByteBuffer longer = ByteBuffer.allocateDirect(one.limit() + 5);
        longer.put(one.duplicate()).position(0);
        assertInvalidRecord(longer);
    }

    @ParameterizedTest
    @ValueSource(bytes = {0, 1})
    void an_older_magic_is_invalid(byte magic) {
        ByteBuffer batch = plain();
        batch.put(BatchHeader.MAGIC, magic);
        assertInvalidRecord(batch);
    }

    @ParameterizedTest
    @ValueSource(bytes = {-1, 3})
    void an_unknown_magic_is_corrupt(byte magic) {
        ByteBuffer batch = plain();
        batch.put(BatchHeader.MAGIC, magic);
        assertRefused(batch, CorruptRecordException.class, Errors.CORRUPT_MESSAGE);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 13, Integer.MIN_VALUE})
    void a_length_below_any_record_is_corrupt(int length) {
        ByteBuffer batch = plain();
        batch.putInt(BatchHeader.LENGTH, length);
        assertRefused(batch, CorruptRecordException.class, Errors.CORRUPT_MESSAGE);
    }

    @Test
    void a_batch_smaller_than_its_header_is_corrupt() {
        ByteBuffer batch = plain().limit(BatchHeader.SIZE - 1);
        batch.putInt(BatchHeader.LENGTH, batch.limit() - BatchHeader.LENGTH_OVERHEAD);
        assertRefused(batch, CorruptRecordException.class, Errors.CORRUPT_MESSAGE);
    }

    @Test
    void the_greatest_length_is_invalid_and_overflows_nothing() {
        ByteBuffer batch = plain();
        batch.putInt(BatchHeader.LENGTH, Integer.MAX_VALUE);
        assertInvalidRecord(batch);
    }

    @Test
    void a_wrong_crc_is_corrupt() {
        ByteBuffer batch = plain();
        batch.put(batch.limit() - 1, (byte) (batch.get(batch.limit() - 1) ^ 1));
        assertRefused(batch, CorruptRecordException.class, Errors.CORRUPT_MESSAGE);
    }

    @Test
    void a_batch_beyond_max_message_bytes_is_too_large_even_with_a_wrong_crc() {
        ByteBuffer batch = plain();
        topic.maxMessageBytes = batch.limit() - 1;
        batch.putInt(BatchHeader.CRC, 0);
        assertRefused(batch, RecordTooLargeException.class, Errors.MESSAGE_TOO_LARGE);
        topic.maxMessageBytes = batch.limit();
        assertRefused(batch, CorruptRecordException.class, Errors.CORRUPT_MESSAGE);
    }

    @Test
    void a_batch_beyond_segment_bytes_is_a_list_too_large() {
        ByteBuffer batch = plain();
        topic.segmentBytes = batch.limit() - 1;
        assertRefused(batch, RecordBatchTooLargeException.class, Errors.RECORD_LIST_TOO_LARGE);
    }

    @Test
    void a_base_offset_other_than_zero_is_invalid_before_all_else() {
        ByteBuffer batch = plain();
        batch.putLong(BatchHeader.BASE_OFFSET, 1L);
        topic.maxMessageBytes = 10;
        assertInvalidRecord(batch);
    }

    @ParameterizedTest
    @CsvSource({"-1,3", "2,0", "2,-1", "1,3", "3,3", "2147483647,-2147483648", "2147483647,3"})
    void counts_that_do_not_agree_are_invalid(int lastOffsetDelta, int count) {
        assertInvalidRecord(damaged(plain(), batch -> {
            batch.putInt(BatchHeader.LAST_OFFSET_DELTA, lastOffsetDelta);
            batch.putInt(BatchHeader.RECORD_COUNT, count);
        }));
    }

    @ParameterizedTest
    @CsvSource({"NONE,2", "NONE,4", "GZIP,2", "GZIP,4", "SNAPPY,2", "SNAPPY,4", "LZ4,2", "LZ4,4", "ZSTD,2", "ZSTD,4"})
    void a_count_other_than_that_of_the_records_is_invalid(CompressionType codec, int count) {
        ByteBuffer three = ProducedBatch.of(codec, record("a", "1"), record("b", "2"), record("c", "3"));
        assertInvalidRecord(damaged(three, batch -> {
            batch.putInt(BatchHeader.LAST_OFFSET_DELTA, count - 1);
            batch.putInt(BatchHeader.RECORD_COUNT, count);
        }));
    }

    @Test
    void control_records_of_a_client_are_invalid() {
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(
                1L, (short) 0, new EndTransactionMarker(ControlRecordType.COMMIT, 0));
        assertInvalidRecord(ProducedBatch.direct(marker.buffer()));
    }

    @Test
    void a_producer_without_a_sequence_is_invalid() {
        ByteBuffer good = ProducedBatch.of(CompressionType.NONE, 5L, (short) 0, 0, record("a", "1"));
        assertInvalidRecord(damaged(good, batch -> batch.putInt(BatchHeader.BASE_SEQUENCE, -1)));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 6, 7})
    void an_unknown_codec_is_invalid(int codec) {
        assertInvalidRecord(damaged(plain(), batch -> batch.putShort(BatchHeader.ATTRIBUTES, (short) codec)));
    }

    @Test
    void a_compressed_record_within_a_compressed_batch_is_a_record_error() throws IOException {
        byte[] inner = recordBytes(0, 0, 0, "k", "v");
        byte[] nested = recordBytes(2, 0, 1, "k", "v");
        ByteBuffer batch = compressed(CompressionType.GZIP, 2, concat(inner, nested));

        assertThatThrownBy(() -> validate(batch))
                .isInstanceOfSatisfying(RejectedRecords.InvalidRecords.class, e -> assertThat(e.recordErrors())
                        .extracting(RejectedRecords.RecordError::index)
                        .containsExactly(1));
    }

    @Test
    void records_without_a_key_are_record_errors_in_a_compacted_topic() {
        topic.compact = true;
        for (CompressionType codec : CompressionType.values()) {
            ByteBuffer batch = ProducedBatch.of(codec, record(null, "1"), record("b", "2"), record(null, "3"));

            assertThatThrownBy(() -> validate(batch))
                    .isInstanceOfSatisfying(RejectedRecords.InvalidRecords.class, e -> {
                        assertThat(e.recordErrors())
                                .extracting(RejectedRecords.RecordError::index)
                                .containsExactly(0, 2);
                        assertThat(Errors.forException(e)).isEqualTo(Errors.INVALID_RECORD);
                    });
        }
    }

    @Test
    void timestamps_out_of_the_topics_bounds_are_record_errors() {
        topic.timestampBeforeMaxMs = 1000;
        topic.timestampAfterMaxMs = 1000;
        ByteBuffer batch = ProducedBatch.of(
                CompressionType.NONE,
                new SimpleRecord(NOW - 1001, new byte[1], null),
                new SimpleRecord(NOW - 1000, new byte[1], null),
                new SimpleRecord(NOW + 1000, new byte[1], null),
                new SimpleRecord(NOW + 1001, new byte[1], null));

        assertThatThrownBy(() -> validate(batch)).isInstanceOfSatisfying(RejectedRecords.InvalidTimestamps.class, e -> {
            assertThat(e.recordErrors())
                    .extracting(RejectedRecords.RecordError::index)
                    .containsExactly(0, 3);
            assertThat(Errors.forException(e)).isEqualTo(Errors.INVALID_TIMESTAMP);
        });
    }

    @Test
    void one_bad_timestamp_decides_the_error_of_all_record_errors() {
        topic.compact = true;
        ByteBuffer batch = ProducedBatch.of(
                CompressionType.NONE, record(null, "1"), new SimpleRecord(NOW + 4_000_000, new byte[1], null));

        assertThatThrownBy(() -> validate(batch))
                .isInstanceOfSatisfying(RejectedRecords.InvalidTimestamps.class, e -> assertThat(e.recordErrors())
                        .hasSize(2));
    }

    @Test
    void damage_behind_a_record_error_is_what_is_reported() {
        topic.compact = true;
        ByteBuffer batch = damaged(
                ProducedBatch.of(CompressionType.NONE, record(null, "1"), record("b", "2")),
                b -> b.put(b.limit() - 1, (byte) 2)); // claims a header that is not there

        assertThatThrownBy(() -> validate(batch)).isExactlyInstanceOf(InvalidRecordException.class);
    }

    @Test
    void record_errors_are_bounded() {
        topic.compact = true;
        SimpleRecord[] many = new SimpleRecord[5000];
        Arrays.fill(many, record(null, "x"));

        assertThatThrownBy(() -> validate(ProducedBatch.of(CompressionType.ZSTD, many)))
                .isInstanceOfSatisfying(RejectedRecords.InvalidRecords.class, e -> assertThat(e.recordErrors())
                        .hasSize(RejectedRecords.MAX_ERRORS));
    }

    @ParameterizedTest
    @EnumSource(TimestampType.class)
    void the_log_append_time_bit_of_a_client_is_an_invalid_timestamp(TimestampType type) {
        if (type == TimestampType.NO_TIMESTAMP_TYPE) {
            return;
        }
        topic.timestampType = type;
        ByteBuffer batch = damaged(plain(), b -> b.putShort(BatchHeader.ATTRIBUTES, (short) 8));
        assertRefused(batch, InvalidTimestampException.class, Errors.INVALID_TIMESTAMP);
    }

    @Test
    void a_record_without_a_timestamp_is_not_out_of_bounds() {
        topic.timestampBeforeMaxMs = 1000;
        ByteBuffer batch = ProducedBatch.of(CompressionType.NONE, new SimpleRecord(-1L, new byte[1], null));
        assertThat(validate(batch).records()).isEqualTo(1);
    }

    @Test
    void offset_deltas_that_do_not_count_up_are_invalid() throws IOException {
        byte[] twice = concat(recordBytes(0, 0, 0, "a", "1"), recordBytes(0, 0, 0, "b", "2"));
        for (CompressionType codec : CompressionType.values()) {
            assertInvalidRecord(compressed(codec, 2, twice));
        }
    }

    @Test
    void bytes_after_the_last_record_are_invalid() throws IOException {
        for (CompressionType codec : CompressionType.values()) {
            assertInvalidRecord(compressed(codec, 1, concat(recordBytes(0, 0, 0, "a", "1"), new byte[] {0})));
        }
    }

    @Test
    void a_record_shorter_or_longer_than_it_says_is_invalid() throws IOException {
        for (CompressionType codec : CompressionType.values()) {
            for (int change : new int[] {-2, 2}) {
                byte[] one = recordBytes(0, 0, 0, "a", "1");
                one[0] += (byte) change; // the length, in zig-zag
                assertInvalidRecord(compressed(codec, 1, one));
            }
        }
    }

    @Test
    void a_record_with_absurd_lengths_is_invalid() throws IOException {
        byte[] hugeKey = {20, 0, 0, 0, (byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, 15, 0, 0};
        byte[] endlessVarint = {20, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
        for (CompressionType codec : CompressionType.values()) {
            assertInvalidRecord(compressed(codec, 1, hugeKey));
            assertInvalidRecord(compressed(codec, 1, endlessVarint));
        }
    }

    @Test
    void a_decompressed_record_beyond_its_limit_is_invalid() {
        topic.maxDecompressedMessageBytes = 100;
        ByteBuffer batch = ProducedBatch.of(CompressionType.GZIP, record("k", "v".repeat(200)));
        assertInvalidRecord(batch);
        ByteBuffer plain = ProducedBatch.of(CompressionType.NONE, record("k", "v".repeat(200)));
        assertThat(validate(plain).records()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"GZIP", "SNAPPY", "LZ4", "ZSTD"})
    void a_truncated_stream_is_invalid(CompressionType codec) {
        ByteBuffer good = ProducedBatch.of(codec, record("key", "some value ".repeat(40)));
        for (int cut = 1; cut < good.limit() - BatchHeader.SIZE; cut += 3) {
            byte[] payload = new byte[good.limit() - BatchHeader.SIZE - cut];
            good.get(BatchHeader.SIZE, payload);
            ByteBuffer batch = ProducedBatch.withPayload(good, payload);
            if (inflatesFully(batch)) {
                continue; // only the end mark or checksum was cut off, which the codec does not miss
            }
            assertInvalidRecord(batch);
        }
    }

    @Test
    void a_create_time_batch_gets_the_greatest_timestamp_of_its_records() {
        ByteBuffer batch = damaged(
                ProducedBatch.of(
                        CompressionType.LZ4,
                        new SimpleRecord(NOW, new byte[1], null),
                        new SimpleRecord(NOW + 50, new byte[1], null),
                        new SimpleRecord(NOW - 50, new byte[1], null)),
                b -> b.putLong(BatchHeader.MAX_TIMESTAMP, 12L));

        MutableRecordBatch stored = onlyBatch(validate(batch).buffer());

        assertThat(stored.maxTimestamp()).isEqualTo(NOW + 50);
        assertThat(stored.isValid()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void log_append_time_is_stamped_in_place(CompressionType codec) {
        topic.timestampType = TimestampType.LOG_APPEND_TIME;
        ByteBuffer batch = ProducedBatch.of(codec, record("a", "1"), record("b", "2"));

        BatchValidator.ValidatedBatch result =
                validator.validate(records(batch), AppendOrigin.CLIENT, topic.build(), NOW + 7);

        MutableRecordBatch stored = onlyBatch(batch);
        assertThat(result.logAppendTimeMs()).isEqualTo(NOW + 7);
        assertThat(stored.isValid()).isTrue();
        assertThat(stored.timestampType()).isEqualTo(TimestampType.LOG_APPEND_TIME);
        assertThat(stored).extracting(Record::timestamp).containsOnly(NOW + 7);
    }

    @Test
    void under_log_append_time_a_producers_clock_does_not_matter() {
        topic.timestampType = TimestampType.LOG_APPEND_TIME;
        topic.timestampBeforeMaxMs = 0;
        ByteBuffer batch = ProducedBatch.of(CompressionType.NONE, new SimpleRecord(5L, new byte[1], null));
        assertThat(validate(batch).logAppendTimeMs()).isEqualTo(NOW);
    }

    @Test
    void a_topics_compression_replaces_the_producers() {
        SimpleRecord[] sent = {
            record("a", "1".repeat(300)), record(null, null), new SimpleRecord(NOW + 3, new byte[0], new byte[2])
        };
        for (CompressionType source : CompressionType.values()) {
            for (String target : List.of("uncompressed", "gzip", "snappy", "lz4", "zstd")) {
                topic.compressionType = target;
                ByteBuffer batch = ProducedBatch.of(source, 9L, (short) 1, 5, sent);
                List<Record> before = List.copyOf(list(onlyBatch(ProducedBatch.direct(batch))));

                MutableRecordBatch stored = onlyBatch(validate(batch).buffer());

                assertThat(stored.isValid()).isTrue();
                assertThat(stored.compressionType().name).isEqualTo(target.equals("uncompressed") ? "none" : target);
                assertThat(stored.producerId()).isEqualTo(9L);
                assertThat(stored.baseSequence()).isEqualTo(5);
                assertThat(stored.maxTimestamp()).isEqualTo(NOW + 3);
                assertThat(list(stored)).isEqualTo(before);
            }
        }
    }

    @Test
    void a_batch_that_grows_beyond_max_message_bytes_by_its_topics_compression_is_too_large() {
        topic.compressionType = "uncompressed";
        topic.maxMessageBytes = 10_000;
        ByteBuffer batch = ProducedBatch.of(CompressionType.ZSTD, record("k", "v".repeat(1_000_000)));
        assertRefused(batch, RecordTooLargeException.class, Errors.MESSAGE_TOO_LARGE);
    }

    @Test
    void a_coordinators_marker_passes_and_takes_the_topics_time() {
        topic.timestampType = TimestampType.LOG_APPEND_TIME;
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(
                1L, (short) 0, new EndTransactionMarker(ControlRecordType.ABORT, 0));

        BatchValidator.ValidatedBatch result =
                validator.validate(marker, AppendOrigin.COORDINATOR, topic.build(), NOW + 1);

        assertThat(result.records()).isEqualTo(1);
        assertThat(onlyBatch(result.buffer()).maxTimestamp()).isEqualTo(NOW + 1);
        assertThat(onlyBatch(result.buffer()).isValid()).isTrue();
    }

    @Test
    void a_replicated_batch_keeps_what_its_leader_gave_it() {
        topic.compact = true;
        topic.maxMessageBytes = 10;
        ByteBuffer batch = ProducedBatch.of(CompressionType.NONE, record(null, "1"));
        batch.putLong(BatchHeader.BASE_OFFSET, 42L);

        validator.validate(records(batch), AppendOrigin.REPLICATION, topic.build(), NOW);

        assertThat(onlyBatch(batch).baseOffset()).isEqualTo(42L);
    }

    private void assertInvalidRecord(ByteBuffer batch) {
        assertRefused(batch, InvalidRecordException.class, Errors.INVALID_RECORD);
    }

    private void assertRefused(ByteBuffer batch, Class<? extends Exception> type, Errors code) {
        assertThatThrownBy(() -> validate(batch)).isInstanceOf(type).satisfies(e -> assertThat(Errors.forException(e))
                .isEqualTo(code));
    }

    private static boolean inflatesFully(ByteBuffer batch) {
        try {
            return list(onlyBatch(batch)).size() == 1;
        } catch (RuntimeException e) {
            return false;
        }
    }

    static MutableRecordBatch onlyBatch(ByteBuffer batch) {
        Iterator<MutableRecordBatch> batches = records(batch).batches().iterator();
        MutableRecordBatch first = batches.next();
        assertThat(batches.hasNext()).isFalse();
        return first;
    }

    private static List<Record> list(Iterable<Record> records) {
        java.util.ArrayList<Record> all = new java.util.ArrayList<>();
        records.forEach(all::add);
        return all;
    }

    private static ByteBuffer compressed(CompressionType codec, int count, byte[] recordBytes) throws IOException {
        ByteBufferOutputStream out = new ByteBufferOutputStream(512);
        try (OutputStream packed = Compression.of(codec).build().wrapForOutput(out, (byte) 2)) {
            packed.write(recordBytes);
        }
        byte[] payload = new byte[out.position()];
        out.buffer().flip().get(payload);
        ByteBuffer header = damaged(plain(), b -> {
            b.putShort(BatchHeader.ATTRIBUTES, codec.id);
            b.putInt(BatchHeader.LAST_OFFSET_DELTA, count - 1);
            b.putInt(BatchHeader.RECORD_COUNT, count);
        });
        return ProducedBatch.withPayload(header, payload);
    }

    static byte[] recordBytes(int attributes, int timestampDelta, int offsetDelta, String key, String value) {
        ByteBuffer body = ByteBuffer.allocate(1000);
        body.put((byte) attributes);
        ByteUtils.writeVarlong(timestampDelta, body);
        ByteUtils.writeVarint(offsetDelta, body);
        ByteUtils.writeVarint(key.length(), body);
        body.put(ProducedBatch.bytes(key));
        ByteUtils.writeVarint(value.length(), body);
        body.put(ProducedBatch.bytes(value));
        ByteUtils.writeVarint(0, body);
        body.flip();
        ByteBuffer whole = ByteBuffer.allocate(1010);
        ByteUtils.writeVarint(body.remaining(), whole);
        whole.put(body).flip();
        byte[] bytes = new byte[whole.remaining()];
        whole.get(bytes);
        return bytes;
    }

    static byte[] concat(byte[] first, byte[] second) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(first);
        out.writeBytes(second);
        return out.toByteArray();
    }
}
