package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class ReplayTest {
    private static ReplayedMetadata empty() {
        return new ReplayedMetadata(TestMetadata.CLUSTER_ID, e -> {
            throw new AssertionError(e);
        });
    }

    /** Entries as a journal would have them: with gaps in the indexes, and now and then a void one. */
    private static List<byte[]> journal(long seed, int commands) {
        ReplayedMetadata metadata = empty();
        RandomMetadata commandsOfSeed = new RandomMetadata(seed);
        List<byte[]> entries = new ArrayList<>();
        for (int i = 1; i <= commands; i++) {
            MetadataImage image = metadata.image();
            long base = i % 17 == 0 ? image.index() + 1 : image.index();
            byte[] entry = new MetadataEntry(base, commandsOfSeed.next(image)).encode();
            assertThat(metadata.apply(2L * i, entry)).isEqualTo(i % 17 != 0);
            entries.add(entry);
        }
        return entries;
    }

    private static byte[] snapshot(ReplayedMetadata metadata) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        metadata.writeSnapshot(out);
        return out.toByteArray();
    }

    private static void apply(ReplayedMetadata metadata, List<byte[]> entries, int from) {
        for (int i = from; i < entries.size(); i++) {
            boolean unused = metadata.apply(2L * (i + 1), entries.get(i));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void givesTheSameStateFromTheJournalAndFromASnapshotAndItsTail(long seed) throws IOException {
        // Given
        List<byte[]> journal = journal(seed, 300);
        ReplayedMetadata whole = empty();
        apply(whole, journal, 0);
        int cut = new Random(seed).nextInt(300);
        ReplayedMetadata first = empty();
        apply(first, journal.subList(0, cut), 0);
        // When
        ReplayedMetadata second = empty();
        second.restore(2L * cut, new ByteArrayInputStream(snapshot(first)));
        assertThat(second.image()).isEqualTo(first.image());
        apply(second, journal, cut);
        // Then
        assertThat(second.image()).isEqualTo(whole.image());
        assertThat(snapshot(second)).isEqualTo(snapshot(whole));
    }

    @Test
    void tellsListenersWhatChangedSoThatTheyCanFollow() {
        // Given
        ReplayedMetadata metadata = empty();
        List<byte[]> journal = journal(21, 300);
        java.util.Map<org.apache.kafka.common.Uuid, TopicImage> followed = new java.util.HashMap<>();
        metadata.onChange((change, image) -> {
            change.deletedTopics().forEach(topic -> followed.remove(topic.id()));
            change.topics().forEach(id -> followed.put(id, image.topic(id)));
        });
        // When
        apply(metadata, journal, 0);
        // Then
        assertThat(followed.values())
                .containsExactlyInAnyOrderElementsOf(metadata.image().topics());
    }

    @Test
    void refusesADamagedSnapshotAndOneOfAnotherCluster() throws IOException {
        // Given
        ReplayedMetadata metadata = empty();
        apply(metadata, journal(1, 50), 0);
        byte[] good = snapshot(metadata);
        ReplayedMetadata other = new ReplayedMetadata("other", e -> {});
        // Then
        assertThatThrownBy(() -> other.restore(1, new ByteArrayInputStream(good)))
                .hasMessageContaining("belongs to");
        Random random = new Random(3);
        for (int i = 0; i < 500; i++) {
            byte[] bad = good.clone();
            int at = 12 + random.nextInt(bad.length - 12);
            bad[at] ^= (byte) (1 + random.nextInt(255));
            assertThatThrownBy(() -> empty().restore(1, new ByteArrayInputStream(bad)))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void refusesBytesThatAreNoEntryWithoutHarm() {
        Random random = new Random(4);
        byte[] good = journal(2, 1).get(0);
        for (int i = 0; i < 5_000; i++) {
            byte[] bad = i % 2 == 0 ? new byte[random.nextInt(60)] : good.clone();
            if (i % 2 == 0) {
                random.nextBytes(bad);
            } else {
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            }
            try {
                MetadataEntry unused = MetadataEntry.decode(bad);
            } catch (CorruptRecordException e) {
                assertThat(e).isNotNull();
            }
        }
    }

    @Test
    void throwsWhenARecordDoesNotFit() {
        List<ApiMessage> records = List.of(new RemoveTopicRecord().setTopicId(new org.apache.kafka.common.Uuid(5, 5)));
        byte[] entry = new MetadataEntry(0, records).encode();
        assertThatThrownBy(() -> empty().apply(1, entry)).isInstanceOf(IllegalStateException.class);
    }
}
