package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.junit.jupiter.api.Test;

class TrailingMetadataTest {
    private final TestMetadata metadata = new TestMetadata();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Throwable> failures = new ArrayList<>();
    private final TrailingMetadata trailing = TrailingMetadata.of(metadata.metadata(), tasks::add, failures::add);

    @Test
    void whatChangedMeanwhileIsToldAsOneChangeWithTheImageAfterIt() {
        // Given
        List<Metadata.Change> changes = new ArrayList<>();
        List<MetadataImage> images = new ArrayList<>();
        trailing.onChange((change, image) -> {
            changes.add(change);
            images.add(image);
        });
        create(1);
        create(2);
        delete(1);
        assertThat(changes).hasSize(1);
        // When
        run();
        // Then
        assertThat(changes).hasSize(2);
        assertThat(changes.get(1).topics()).containsExactlyInAnyOrder(id(1), id(2));
        assertThat(changes.get(1).deletedTopics()).extracting(TopicImage::id).containsExactly(id(1));
        assertThat(images.get(1)).isSameAs(metadata.metadata().image());
    }

    @Test
    void whoFollowsHasWhatTheImageHasHoweverManyChangesAreToldAsOne() {
        // Given
        Random random = new Random(5);
        Map<Uuid, TopicImage> followed = new HashMap<>();
        trailing.onChange((change, image) -> {
            change.deletedTopics().forEach(topic -> followed.remove(topic.id()));
            change.topics().forEach(id -> {
                TopicImage topic = image.topic(id);
                if (topic != null) {
                    followed.put(id, topic);
                }
            });
        });
        // When
        for (int i = 0; i < 500; i++) {
            int topic = random.nextInt(20);
            if (metadata.metadata().image().topic(id(topic)) == null) {
                create(topic);
            } else {
                delete(topic);
            }
            if (random.nextInt(4) == 0) {
                run();
            }
        }
        run();
        // Then
        assertThat(followed.values())
                .containsExactlyInAnyOrderElementsOf(metadata.metadata().image().topics());
    }

    @Test
    void isSettledWhenTheListenersHaveTakenTheImage() {
        trailing.onChange((change, image) -> {});
        assertThat(trailing.isSettled()).isTrue();
        create(1);
        CompletableFuture<?> first = trailing.settled();
        assertThat(trailing.isSettled()).isFalse();
        assertThat(trailing.unsettledPartitions()).isEqualTo(1);
        assertThat(first).isNotDone();

        run();

        assertThat(first).isDone();
        assertThat(trailing.unsettledPartitions()).isZero();
        assertThat(trailing.isSettled()).isTrue();
        assertThat(trailing.settled()).isDone();
    }

    @Test
    void whoComesLaterIsToldOfAllThatTheOthersHaveTaken() {
        // Given
        create(1);
        run();
        create(2);
        List<Integer> topics = new ArrayList<>();
        // When
        trailing.onChange((change, image) -> topics.add(image.topics().size()));
        run();
        // Then
        assertThat(topics).containsExactly(1, 2);
    }

    @Test
    void aListenerThatThrowsEndsIt() {
        trailing.onChange((change, image) -> {
            if (image.topic(id(1)) != null) {
                throw new IllegalStateException("cannot follow");
            }
        });
        create(1);
        run();
        create(2);

        assertThat(failures).hasSize(1);
        assertThat(tasks).isEmpty();
        trailing.close();
    }

    private void run() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private static Uuid id(int topic) {
        return new Uuid(9, topic + 1);
    }

    private void create(int topic) {
        metadata.replay(
                new TopicRecord().setName("t" + topic).setTopicId(id(topic)),
                new PartitionRecord()
                        .setTopicId(id(topic))
                        .setPartitionId(0)
                        .setReplicas(List.of(TestMetadata.NODE_ID))
                        .setIsr(List.of(TestMetadata.NODE_ID))
                        .setLeader(TestMetadata.NODE_ID)
                        .setDirectories(List.of(new Uuid(1, 100))));
    }

    private void delete(int topic) {
        metadata.replay(new RemoveTopicRecord().setTopicId(id(topic)));
    }
}
