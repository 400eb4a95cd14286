package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When a segment is rolled and when a log is forced. */
class RollAndFlushTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private final LogFixture fixture = new LogFixture(new MemoryFileStore(), DIRECTORY);
    private final TopicSettings topic = new TopicSettings();

    @AfterEach
    void close() {
        fixture.close();
    }

    private void append(PartitionLog log, long afterMs) {
        fixture.clock.advance(afterMs);
        log.append(batch(fixture.clock.wallMillis(), "v"), AppendOrigin.CLIENT, 0);
    }

    @Test
    void aSegmentIsRolledOnceARecordIsMoreThanSegmentMsBehindItsFirst() {
        topic.segmentMs = 1_000;
        PartitionLog log = fixture.log(topic.build());

        append(log, 0);
        append(log, 1_000);
        assertThat(log.segmentCount()).isOne();
        append(log, 1);
        assertThat(log.segmentCount()).isEqualTo(2);
    }

    @Test
    void maxCompactionLagMsBoundsTheAgeOfACompactedTopicsSegments() {
        topic.compact = true;
        topic.maxCompactionLagMs = 500;
        PartitionLog compacted = fixture.log(topic.build());
        topic.compact = false;
        PartitionLog plain = fixture.log(new TopicPartition("u", 0), topic.build());

        append(compacted, 0);
        append(plain, 0);
        append(compacted, 501);
        append(plain, 0);

        assertThat(compacted.segmentCount()).isEqualTo(2);
        assertThat(plain.segmentCount()).isOne();
    }

    @Test
    void jitterPartsTheRollsOfPartitionsThatBeganTogether() {
        topic.segmentMs = 10_000;
        topic.segmentJitterMs = 9_000;
        Set<Long> rolledAt = new HashSet<>();
        for (int partition = 0; partition < 8; partition++) {
            PartitionLog log = fixture.log(new TopicPartition("u", partition), topic.build());
            append(log, 0);
            long waited = 0;
            while (log.segmentCount() == 1) {
                append(log, 250);
                waited += 250;
            }
            assertThat(waited).isBetween(1_000L, 10_250L);
            rolledAt.add(waited);
        }
        assertThat(rolledAt).hasSizeGreaterThan(2);
    }

    @Test
    void aSegmentIsRolledWhenItsIndexIsFull() {
        topic.indexIntervalBytes = 1;
        topic.segmentIndexBytes = 4 * TimeIndex.ENTRY_SIZE;
        PartitionLog log = fixture.log(topic.build());

        for (int i = 0; i < 20; i++) {
            append(log, 1);
        }

        assertThat(log.segmentCount()).isBetween(3, 5);
        assertThat(LogFixture.contents(log)).hasSize(20);
    }

    @Test
    void everySoManyMessagesAreForced() {
        topic.flushMessages = 5;
        PartitionLog log = fixture.log(topic.build());

        for (int i = 0; i < 4; i++) {
            append(log, 0);
        }
        assertThat(log.recoveryPoint()).isZero();
        append(log, 0);
        assertThat(log.recoveryPoint()).isEqualTo(5);
    }

    @Test
    void whatIsOlderThanFlushMsIsForced() {
        topic.flushMs = 5_000;
        PartitionLog log = fixture.log(topic.build());
        append(log, 0);

        fixture.ticker.advance(3_000);
        assertThat(log.recoveryPoint()).isZero();
        fixture.ticker.advance(4_000);
        assertThat(log.recoveryPoint()).isOne();
    }
}
