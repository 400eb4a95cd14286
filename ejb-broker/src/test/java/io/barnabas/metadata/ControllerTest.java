package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.junit.jupiter.api.Test;

@org.jspecify.annotations.NullUnmarked
class ControllerTest {
    private final TestMetadata cluster = new TestMetadata();

    @Test
    void answersACommandFromTheImageThatHasItsRecords() {
        // Given
        Uuid id = Uuid.randomUuid();
        // When
        CompletableFuture<Integer> answer = cluster.controller()
                .submit(
                        "CreateTopics",
                        image -> new Decision<>(
                                TestRecords.topic("a", id, 3),
                                after -> after.topic("a").partitions().size()));
        // Then
        assertThat(answer).isCompletedWithValue(3);
        assertThat(cluster.image().partition("a", 2).leader()).isEqualTo(1);
        assertThat(cluster.image().topic(id).name()).isEqualTo("a");
    }

    @Test
    void tellsListenersOfAChangeBeforeItAnswers() {
        // Given
        List<String> seen = new ArrayList<>();
        cluster.metadata()
                .onChange(
                        (change, image) -> seen.add("change " + change.topics().size()));
        // When
        cluster.controller()
                .submit("CreateTopics", image -> Decision.of(TestRecords.topic("a", Uuid.randomUuid(), 1), "answered"))
                .thenAccept(seen::add)
                .join();
        // Then
        assertThat(seen).containsExactly("change 0", "change 1", "answered");
    }

    @Test
    void changesNothingWhenACommandThrows() {
        // Given
        long before = cluster.image().index();
        // When
        CompletableFuture<Object> answer = cluster.controller().submit("CreateTopics", image -> {
            throw new InvalidTopicException("no");
        });
        // Then
        assertThat(answer).isCompletedExceptionally();
        assertThat(cluster.image().index()).isEqualTo(before);
    }

    @Test
    void answersWhatItOnlyReadAfterTheLogHasTakenNoticeOfIt() {
        // Given
        long before = cluster.image().index();
        // When
        CompletableFuture<Long> answer =
                cluster.controller().submit("Read", image -> Decision.unchanged(image.index()));
        // Then
        assertThat(answer).isCompletedWithValue(before);
        assertThat(cluster.image().index()).isEqualTo(before + 1);
    }
}
