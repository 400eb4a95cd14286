package io.barnabas.coordinator.group.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.TestMetadata;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The hashes that Kafka 4.4 itself computes of the same brokers and topics (its group coordinator's Utils.computeGroupHash). */
class TopicHashesTest {
    private static final Uuid T = new Uuid(7, 11);
    private static final Uuid A = new Uuid(-5, 12);

    private final TestMetadata metadata = new TestMetadata();
    private final TopicHashes hashes = new TopicHashes();

    private void brokers(@Nullable String rackOf2, @Nullable String rackOf3, @Nullable String rackOf4) {
        metadata.replay(broker(2, rackOf2), broker(3, rackOf3), broker(4, rackOf4), broker(5, null));
    }

    private static RegisterBrokerRecord broker(int id, @Nullable String rack) {
        return new RegisterBrokerRecord()
                .setBrokerId(id)
                .setIncarnationId(new Uuid(1, id))
                .setFenced(false)
                .setRack(rack)
                .setLogDirs(List.of(new Uuid(1, 100 + id)));
    }

    private void topics() {
        metadata.replay(
                new TopicRecord().setTopicId(T).setName("t"),
                partition(T, 0, 2, 3),
                partition(T, 1, 5, 4),
                partition(T, 2, 4, 2, 3),
                new TopicRecord().setTopicId(A).setName("a-topic"),
                partition(A, 0, 5));
    }

    private static PartitionRecord partition(Uuid topic, int index, Integer... replicas) {
        return new PartitionRecord()
                .setTopicId(topic)
                .setPartitionId(index)
                .setReplicas(List.of(replicas))
                .setIsr(List.of(replicas))
                .setLeader(replicas[0])
                .setLeaderEpoch(0)
                .setPartitionEpoch(0)
                .setDirectories(
                        Stream.of(replicas).map(id -> new Uuid(1, 100 + id)).toList());
    }

    private long hash(String... topics) {
        return hashes.of(Set.of(topics), metadata.image());
    }

    @Test
    void topics_with_racks_have_kafkas_hash() {
        brokers("rack-b", "rack-a", "zürich");
        topics();

        assertThat(hash("t")).isEqualTo(6289871270770427969L);
        assertThat(hash("t", "a-topic")).isEqualTo(-8497674492573228231L);
    }

    @Test
    void topics_without_racks_have_kafkas_hash() {
        brokers(null, null, null);
        topics();

        assertThat(hash("t")).isEqualTo(7466820303822109676L);
        assertThat(hash("t", "a-topic")).isEqualTo(-3758810158970864071L);
    }

    @Test
    void topics_that_are_not_there_do_not_count() {
        brokers(null, null, null);
        topics();

        assertThat(hash("t", "gone")).isEqualTo(hash("t"));
        assertThat(hash("gone")).isZero();
        assertThat(hash()).isZero();
    }

    @Test
    void a_topic_that_grows_or_is_made_anew_has_another_hash() {
        brokers("rack-b", "rack-a", "zürich");
        topics();
        long before = hash("t");

        metadata.replay(partition(T, 3, 2));
        long grown = hash("t");
        metadata.replay(new RemoveTopicRecord().setTopicId(T));
        metadata.replay(new TopicRecord().setTopicId(new Uuid(7, 13)).setName("t"), partition(new Uuid(7, 13), 0, 2));

        assertThat(Set.of(before, grown, hash("t"))).hasSize(3);
    }
}
