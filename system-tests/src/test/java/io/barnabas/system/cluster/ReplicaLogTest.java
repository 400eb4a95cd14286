package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.cluster.ReplicaFiles.Difference;
import io.barnabas.system.cluster.ReplicaLog.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas written by hand: who compares must be known to find a difference, and to take compaction for none. */
class ReplicaLogTest {
    private static final long PRODUCER = 7;
    private static final int LEADER_EPOCH_AT = 12; // in a batch, outside what its checksum covers

    @TempDir
    Path dir;

    private Path one;
    private Path two;
    private Path three;

    @BeforeEach
    void replicasOfThreeNodes() throws IOException {
        one = Files.createDirectory(dir.resolve("1"));
        two = Files.createDirectory(dir.resolve("2"));
        three = Files.createDirectory(dir.resolve("3"));
    }

    @Test
    void the_same_bytes_in_other_segments_are_the_same() throws IOException {
        segment(one, 0, plain(0, "a"), plain(1, "b"), plain(2, "c"));
        segment(two, 0, plain(0, "a"));
        segment(two, 1, plain(1, "b"), plain(2, "c"));
        segment(three, 0, plain(0, "a"), plain(1, "b"), plain(2, "c"));
        segment(three, 3);

        assertThat(differences(false, Extent.WHOLE)).isEmpty();
    }

    @Test
    void another_record_at_an_offset_is_a_difference_at_that_node() throws IOException {
        segment(one, 0, plain(0, "a"), plain(1, "b"));
        segment(two, 0, plain(0, "a"), plain(1, "x"));
        segment(three, 0, plain(0, "a"), plain(1, "b"));

        assertThat(differences(false, Extent.WHOLE))
                .singleElement()
                .hasToString("p-0 of node 2 differs from that of node 1: " + what(two, false));
        assertThat(what(two, false)).startsWith("has [1–1 epoch 3 ");
        assertThat(differences(false, Extent.COMMON)).hasSize(1);
        assertThat(differences(true, Extent.WHOLE)).as("compacted").hasSize(1);
    }

    @Test
    void a_bit_that_no_checksum_covers_is_a_difference() throws IOException {
        segment(one, 0, plain(0, "a"), plain(1, "b"));
        segment(two, 0, plain(0, "a"), plain(1, "b"));
        segment(three, 0, plain(0, "a"), plain(1, "b"));
        change(three, LEADER_EPOCH_AT);

        assertThat(differences(false, Extent.WHOLE))
                .extracting(Difference::node)
                .containsExactly(3);
    }

    @Test
    void a_bit_that_a_checksum_covers_is_a_damage_even_of_the_first() throws IOException {
        segment(one, 0, plain(0, "a"), plain(1, "b"));
        segment(two, 0, plain(0, "a"), plain(1, "b"));
        segment(three, 0, plain(0, "a"), plain(1, "b"));
        change(one, plain(0, "a").remaining() - 1);

        assertThat(differences(false, Extent.COMMON))
                .singleElement()
                .asString()
                .startsWith("p-0 of node 1 is damaged: ");
    }

    @Test
    void an_end_that_is_missing_is_a_difference_when_nobody_writes() throws IOException {
        segment(one, 0, plain(0, "a"), plain(1, "b"));
        segment(two, 0, plain(0, "a"), plain(1, "b"));
        segment(three, 0, plain(0, "a"));

        assertThat(differences(false, Extent.WHOLE)).singleElement().asString().endsWith("node 1: ends at 1, not 2");
        assertThat(differences(true, Extent.WHOLE)).hasSize(1);
        assertThat(differences(false, Extent.COMMON)).isEmpty();
    }

    @Test
    void a_gap_is_a_damage_unless_the_topic_is_compacted() throws IOException {
        for (Path each : List.of(one, two, three)) {
            segment(each, 0, plain(0, "a"));
            segment(each, 2, plain(2, "c"));
        }

        assertThat(differences(false, Extent.WHOLE)).hasSize(3);
        assertThat(differences(true, Extent.WHOLE)).isEmpty();
    }

    @Test
    void half_a_batch_at_the_end_and_a_missing_beginning_and_no_log_at_all_are_found() throws IOException {
        ByteBuffer half = plain(2, "c");
        half.limit(half.limit() - 1);
        segment(one, 0, plain(0, "a"), plain(1, "b"), half);
        segment(two, 0, plain(0, "a"), plain(1, "b"));
        segment(three, 1, plain(1, "b"));

        assertThat(differences(false, Extent.WHOLE))
                .extracting(Difference::node)
                .containsExactly(1, 3);
        assertThat(ReplicaFiles.differences("p-0", Map.of(1, two, 2, dir.resolve("none")), false, Extent.WHOLE))
                .extracting(Difference::node)
                .containsExactly(2);
    }

    @Test
    void what_one_node_has_compacted_and_another_not_yet_is_the_same() throws IOException {
        segment(
                one,
                0,
                keyed(0, "k", "1"),
                keyed(1, "gone", "1"),
                keyed(2, "gone", null),
                inTransaction(3, "k", "aborted"),
                marker(4, ControlRecordType.ABORT),
                inTransaction(5, "l", "2"),
                marker(6, ControlRecordType.COMMIT),
                keyed(7, "m", "3"));
        segment(
                two,
                0,
                keyed(0, "k", "1"),
                keyed(2, "gone", null),
                marker(4, ControlRecordType.ABORT),
                inTransaction(5, "l", "2"),
                marker(6, ControlRecordType.COMMIT),
                keyed(7, "m", "3"));
        segment(
                three,
                0,
                keyed(0, "k", "1"),
                inTransaction(5, "l", "2"),
                marker(6, ControlRecordType.COMMIT),
                keyed(7, "m", "3"));

        assertThat(differences(true, Extent.WHOLE)).isEmpty();
        assertThat(differences(false, Extent.WHOLE)).isNotEmpty();
    }

    @Test
    void a_compaction_that_took_the_last_value_of_a_key_is_a_difference() throws IOException {
        segment(one, 0, keyed(0, "k", "1"), keyed(1, "l", "1"), keyed(2, "k", "2"), keyed(3, "m", "1"));
        segment(two, 0, keyed(2, "k", "2"), keyed(3, "m", "1")); // without l
        segment(three, 0, keyed(0, "k", "1"), keyed(1, "l", "1"), keyed(3, "m", "1")); // with the former k

        assertThat(differences(true, Extent.WHOLE))
                .extracting(Difference::what)
                .containsExactly(
                        "differs from that of node 1: has the key 6c last at null, not at 1",
                        "differs from that of node 1: has the key 6b last at 0, not at 2");
    }

    @Test
    void another_value_of_the_same_key_at_the_same_offset_is_a_difference_in_a_compacted_topic() throws IOException {
        segment(one, 0, keyed(0, "k", "1"), keyed(1, "l", "1"));
        segment(two, 0, keyed(0, "k", "2"), keyed(1, "l", "1"));

        assertThat(ReplicaFiles.differences("p-0", Map.of(1, one, 2, two), true, Extent.WHOLE))
                .extracting(Difference::what)
                .containsExactly("differs from that of node 1: holds another record at 0");
    }

    @Test
    void a_commit_on_one_node_and_an_abort_on_another_are_a_difference() throws IOException {
        segment(one, 0, inTransaction(0, "k", "1"), marker(1, ControlRecordType.COMMIT));
        segment(two, 0, inTransaction(0, "k", "1"), marker(1, ControlRecordType.ABORT));

        assertThat(ReplicaFiles.differences("p-0", Map.of(1, one, 2, two), true, Extent.WHOLE))
                .hasSize(1);
    }

    @Test
    void a_mix_is_convicted_by_a_replica_that_differs_and_by_an_anomaly() {
        Difference difference = new Difference("in-0", 2, "differs");
        Anomaly anomaly = new Anomaly(Anomaly.Kind.LOST_WRITE, "1", List.of());

        Mix.convict(List.of(), List.of(), "report");
        assertThatThrownBy(() -> Mix.convict(List.of(), List.of(difference), "report"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("in-0 of node 2 differs");
        assertThatThrownBy(() -> Mix.convict(List.of(anomaly), List.of(), "report"))
                .isInstanceOf(AssertionError.class);
    }

    private List<Difference> differences(boolean compacted, Extent extent) {
        return ReplicaFiles.differences("p-0", Map.of(1, one, 2, two, 3, three), compacted, extent);
    }

    /** In what it differs from the first. */
    private String what(Path folder, boolean compacted) throws IOException {
        return ReplicaLog.read(folder, compacted)
                .differenceFrom(ReplicaLog.read(one, compacted), Extent.WHOLE)
                .orElseThrow();
    }

    private static void segment(Path folder, long base, ByteBuffer... batches) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(batches).mapToInt(ByteBuffer::remaining).sum());
        Arrays.stream(batches).forEach(all::put);
        Files.write(folder.resolve(String.format("%020d.log", base)), all.array());
    }

    private static void change(Path folder, int at) throws IOException {
        Path file = folder.resolve(String.format("%020d.log", 0));
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 1;
        Files.write(file, bytes);
    }

    private static ByteBuffer plain(long offset, String value) {
        return keyed(offset, value, value);
    }

    private static ByteBuffer keyed(long offset, String key, String value) {
        return MemoryRecords.withRecords(offset, Compression.NONE, 3, record(key, value))
                .buffer();
    }

    private static ByteBuffer inTransaction(long offset, String key, String value) {
        return MemoryRecords.withTransactionalRecords(
                        offset, Compression.NONE, PRODUCER, (short) 0, (int) offset, 3, record(key, value))
                .buffer();
    }

    private static ByteBuffer marker(long offset, ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(
                        offset, 1_000, 3, PRODUCER, (short) 0, new EndTransactionMarker(type, 0))
                .buffer();
    }

    private static SimpleRecord record(String key, String value) {
        return new SimpleRecord(1_000, bytes(key), value == null ? null : bytes(value));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
