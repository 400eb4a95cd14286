package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.LOG;
import static io.barnabas.coordinator.group.GroupFixture.TOPIC_ID;
import static io.barnabas.coordinator.group.GroupFixture.bytes;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupPartitionMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupPartitionMetadataValue;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.apache.kafka.coordinator.group.generated.GroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.LegacyOffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.LegacyOffsetCommitValue;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.apache.kafka.coordinator.group.generated.ShareGroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.ShareGroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.StreamsGroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.StreamsGroupMetadataValue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is written is what Kafka 4.4 writes, and what Kafka wrote is understood. */
class LogFormatTest {
    private static final long PRODUCER = 7;

    private final GroupFixture group = new GroupFixture();

    private List<Record> written() {
        List<Record> records = new ArrayList<>();
        group.log.batches(LOG).forEach(batch -> batch.forEach(records::add));
        return records;
    }

    private static SimpleRecord record(ApiMessage key, @Nullable ApiMessage value, int version) {
        return new SimpleRecord(
                1L,
                MessageUtil.toCoordinatorTypePrefixedBytes(key),
                value == null ? null : MessageUtil.toVersionPrefixedBytes((short) version, value));
    }

    private static SimpleRecord memberMetadata(int rebalanceTimeoutMs) {
        return record(
                new ConsumerGroupMemberMetadataKey().setGroupId(GROUP).setMemberId("m"),
                new ConsumerGroupMemberMetadataValue()
                        .setClientId("c")
                        .setClientHost("/h")
                        .setSubscribedTopicNames(List.of("t"))
                        .setRebalanceTimeoutMs(rebalanceTimeoutMs),
                0);
    }

    private static SimpleRecord groupMetadata() {
        return record(
                new ConsumerGroupMetadataKey().setGroupId(GROUP), new ConsumerGroupMetadataValue().setEpoch(3), 0);
    }

    private static SimpleRecord offset(long offset) {
        return record(
                new OffsetCommitKey().setGroup(GROUP).setTopic("t").setPartition(0),
                new OffsetCommitValue().setOffset(offset).setMetadata("").setCommitTimestamp(1L),
                3);
    }

    private void add(SimpleRecord... records) {
        group.log.add(LOG, MemoryRecords.withRecords(Compression.gzip().build(), records));
    }

    private void addTransactional(SimpleRecord... records) {
        group.log.add(LOG, MemoryRecords.withTransactionalRecords(Compression.NONE, PRODUCER, (short) 0, 0, records));
    }

    private void addMarker(ControlRecordType type) {
        group.log.add(
                LOG, MemoryRecords.withEndTransactionMarker(PRODUCER, (short) 0, new EndTransactionMarker(type, 0)));
    }

    @Test
    void an_offset_is_written_in_version_4_with_its_topics_id() {
        group.commit(5);
        Record record = written().get(0);
        ByteBuffer key = record.key();
        assertThat(key.getShort()).isEqualTo((short) 1);
        assertThat(new OffsetCommitKey(new ByteBufferAccessor(key), (short) 0))
                .isEqualTo(new OffsetCommitKey().setGroup(GROUP).setTopic("t").setPartition(0));
        ByteBuffer value = record.value();
        assertThat(value.getShort()).isEqualTo((short) 4);
        OffsetCommitValue read = new OffsetCommitValue(new ByteBufferAccessor(value), (short) 4);
        assertThat(read.offset()).isEqualTo(5);
        assertThat(read.topicId()).isEqualTo(TOPIC_ID);
        assertThat(read.metadata()).isEqualTo("note");
        assertThat(read.commitTimestamp()).isEqualTo(group.clock.wallMillis());
        assertThat(record.timestamp()).isEqualTo(group.clock.wallMillis());
    }

    @Test
    void a_generation_is_written_in_version_3() {
        group.stable(1);
        Record record = written().get(1); // the first made the group
        assertThat(record.key().getShort()).isEqualTo((short) 2);
        ByteBuffer value = record.value();
        assertThat(value.getShort()).isEqualTo((short) 3);
        GroupMetadataValue read = new GroupMetadataValue(new ByteBufferAccessor(value), (short) 3);
        assertThat(read.generation()).isEqualTo(1);
        assertThat(read.protocolType()).isEqualTo("consumer");
        assertThat(read.protocol()).isEqualTo("range");
        assertThat(read.leader()).isEqualTo("client-1");
        assertThat(read.members().get(0).assignment()).isEqualTo(bytes("for client-1"));
    }

    @Test
    void old_forms_of_records_are_read() {
        add(
                record(
                        new LegacyOffsetCommitKey()
                                .setGroup(GROUP)
                                .setTopic("t")
                                .setPartition(0),
                        new LegacyOffsetCommitValue()
                                .setOffset(4)
                                .setMetadata("old")
                                .setCommitTimestamp(1L),
                        0),
                record(
                        new GroupMetadataKey().setGroup(GROUP),
                        new GroupMetadataValue()
                                .setProtocolType("consumer")
                                .setGeneration(3)
                                .setProtocol("range")
                                .setLeader("m")
                                .setMembers(List.of(new GroupMetadataValue.MemberMetadata()
                                        .setMemberId("m")
                                        .setClientId("c")
                                        .setClientHost("/h")
                                        .setSessionTimeout(10_000)
                                        .setSubscription(GroupFixture.subscription("t"))
                                        .setAssignment(bytes("a")))),
                        0));
        group.restart();
        assertThat(group.fetchedOffset()).isEqualTo(4);
        assertThat(group.state()).isEqualTo("Stable");
        assertThat(group.heartbeat("m", 3)).isEqualTo(Errors.NONE);
    }

    @Test
    void a_transactional_offset_counts_from_its_commit_marker_on() {
        add(offset(1));
        addTransactional(offset(2));
        group.restart();
        assertThat(group.fetchedOffset()).isEqualTo(1);
        assertThat(Errors.forCode(group.fetch(true).errorCode())).isEqualTo(Errors.UNSTABLE_OFFSET_COMMIT);

        addMarker(ControlRecordType.COMMIT);
        group.restart();
        assertThat(group.fetch(true).committedOffset()).isEqualTo(2);
    }

    @Test
    void an_aborted_transactional_offset_never_counts() {
        add(offset(1));
        addTransactional(offset(2));
        addMarker(ControlRecordType.ABORT);
        group.restart();
        assertThat(group.fetch(true).committedOffset()).isEqualTo(1);
    }

    @Test
    void a_plain_offset_that_was_written_after_a_transactional_one_stays() {
        addTransactional(offset(2));
        add(offset(3));
        addMarker(ControlRecordType.COMMIT);
        group.restart();
        assertThat(group.fetchedOffset()).isEqualTo(3);
    }

    @Test
    void a_tombstone_takes_an_undecided_offset_along() {
        addTransactional(offset(2));
        add(record(new OffsetCommitKey().setGroup(GROUP).setTopic("t").setPartition(0), null, 0));
        addMarker(ControlRecordType.COMMIT);
        group.restart();
        assertThat(group.fetch(true).committedOffset()).isEqualTo(-1);
    }

    @Test
    void groups_of_other_types_are_left_alone() {
        add(
                record(new StreamsGroupMetadataKey().setGroupId(GROUP), new StreamsGroupMetadataValue().setEpoch(1), 0),
                record(new ShareGroupMetadataKey().setGroupId("s"), new ShareGroupMetadataValue().setEpoch(1), 0),
                offset(4));
        add(new SimpleRecord(1L, new byte[] {0x7f, 0x7f, 1}, new byte[] {1, 2, 3})); // of a later Kafka
        group.restart();

        assertThat(group.fetchedOffset()).isEqualTo(4);
        assertThat(now(group.groups.list(List.of(), List.of())))
                .extracting(listed -> listed.groupId() + " " + listed.groupType())
                .containsExactlyInAnyOrder("g streams", "s share");
        assertThat(Errors.forCode(now(group.join("")).errorCode())).isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(Errors.forCode(now(group.groups.consumerHeartbeat(client(1), ConsumerRequests.joining("a", null)))
                        .errorCode()))
                .isEqualTo(Errors.GROUP_ID_NOT_FOUND);
        assertThat(group.describe().errorCode()).isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
        group.ticker.advance(TimeUnit.DAYS.toMillis(30));
        assertThat(group.fetchedOffset()).isEqualTo(4);
    }

    @Test
    void a_consumer_group_that_kafka_wrote_is_read() {
        add(memberMetadata(1), groupMetadata(), offset(4));
        group.restart();

        assertThat(group.fetchedOffset()).isEqualTo(4);
        assertThat(now(group.groups.list(List.of("assigning"), List.of("Consumer"))))
                .extracting(listed -> listed.groupId() + " " + listed.groupType())
                .containsExactly("g consumer");
        var described = now(group.groups.describeConsumers(List.of(GROUP))).get(0);
        assertThat(described.groupEpoch()).isEqualTo(3);
        assertThat(described.members().get(0).clientId()).isEqualTo("c");
        assertThat(group.describe().errorCode()).isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
    }

    private ConsumerGroupHeartbeatResponseData heartbeat(List<TopicPartitions> owned) {
        return now(group.groups.consumerHeartbeat(
                client(1), ConsumerRequests.request("m", 3).setTopicPartitions(owned)));
    }

    /** Kafka 4.0 wrote what the group knew of its topics; a state that is of a later Kafka cannot be gone on from. */
    @Test
    void a_consumer_group_that_an_older_or_later_kafka_wrote_is_gone_on_with() {
        group.createTopic("t", 2);
        add(
                memberMetadata(1_000),
                record(
                        new ConsumerGroupPartitionMetadataKey().setGroupId(GROUP),
                        new ConsumerGroupPartitionMetadataValue(),
                        0),
                groupMetadata(),
                record(
                        new ConsumerGroupCurrentMemberAssignmentKey()
                                .setGroupId(GROUP)
                                .setMemberId("m"),
                        new ConsumerGroupCurrentMemberAssignmentValue()
                                .setMemberEpoch(3)
                                .setState((byte) 99),
                        0));
        group.restart();

        assertThat(Errors.forCode(heartbeat(List.of(new TopicPartitions())).errorCode()))
                .isEqualTo(Errors.FENCED_MEMBER_EPOCH);
        assertThat(heartbeat(List.of()).assignment().topicPartitions()).hasSize(1);
        assertThat(written())
                .filteredOn(record ->
                        record.key().getShort() == CoordinatorRecordType.CONSUMER_GROUP_PARTITION_METADATA.id())
                .last()
                .satisfies(record -> assertThat(record.hasValue()).isFalse());
    }

    @Test
    void every_batch_is_of_a_kind_that_kafka_expects() {
        group.stable(1);
        group.commit("client-1", 1, 5);
        for (RecordBatch batch : group.log.batches(LOG)) {
            batch.ensureValid();
            assertThat(batch.magic()).isEqualTo(RecordBatch.MAGIC_VALUE_V2);
            assertThat(batch.isTransactional()).isFalse();
            assertThat(batch.producerId()).isEqualTo(RecordBatch.NO_PRODUCER_ID);
        }
    }
}
