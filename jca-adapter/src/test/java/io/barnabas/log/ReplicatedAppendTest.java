package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a follower takes from its leader, and what it does not. */
class ReplicatedAppendTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private final LogFixture fixture = new LogFixture(new MemoryFileStore(), DIRECTORY);
    private final TopicSettings topic = new TopicSettings();

    @AfterEach
    void close() {
        fixture.close();
    }

    /** A batch as a leader of that epoch has stored it. */
    private static ByteBuffer stored(long baseOffset, int epoch, String... values) {
        ByteBuffer buffer =
                ProducedBatch.direct(batch(1_700_000_000_000L, values).buffer());
        BatchHeader.stamp(buffer, 0, baseOffset, epoch);
        return buffer;
    }

    private static MemoryRecords fetched(ByteBuffer... batches) {
        int size = 0;
        for (ByteBuffer each : batches) {
            size += each.remaining();
        }
        ByteBuffer all = ByteBuffer.allocateDirect(size);
        for (ByteBuffer each : batches) {
            all.put(each.duplicate());
        }
        return MemoryRecords.readableRecords(all.flip());
    }

    private static AppendResult replicate(PartitionLog log, int epoch, ByteBuffer... batches) {
        return log.append(fetched(batches), AppendOrigin.REPLICATION, epoch);
    }

    @Test
    void offsetsGapsAndEpochsAreKeptAsTheLeaderHasThem() {
        PartitionLog log = fixture.log(topic.build());

        AppendResult result = replicate(log, 5, stored(0, 2, "a", "b"), stored(7, 2, "c"), stored(8, 5, "d"));

        assertThat(result.lastOffset()).isEqualTo(8);
        assertThat(result.records()).isEqualTo(4);
        assertThat(contents(log)).containsExactly("0:a", "1:b", "7:c", "8:d");
        assertThat(log.endOffsetFor(2)).isEqualTo(new PartitionLog.EpochEnd(2, 8));
        assertThat(log.latestEpoch()).isEqualTo(OptionalInt.of(5));
    }

    @Test
    void nothingIsTakenThatDoesNotFollowTheEnd() {
        PartitionLog log = fixture.log(topic.build());
        replicate(log, 1, stored(0, 1, "a", "b"));

        assertThatThrownBy(() -> replicate(log, 1, stored(1, 1, "x"))).isInstanceOf(OffsetOutOfRangeException.class);
        assertThatThrownBy(() -> replicate(log, 3, stored(2, 2, "c"), stored(2, 3, "x")))
                .isInstanceOf(OffsetOutOfRangeException.class);

        assertThat(contents(log)).containsExactly("0:a", "1:b");
        assertThat(log.latestEpoch()).as("epochs of what was refused").isEqualTo(OptionalInt.of(1));
    }

    @Test
    void batchesOfALaterLeaderThanTheOneAskedAreLeftOff() {
        PartitionLog log = fixture.log(topic.build());

        AppendResult some = replicate(log, 1, stored(0, 1, "a"), stored(1, 2, "x"), stored(2, 1, "y"));
        AppendResult none = replicate(log, 1, stored(1, 2, "x"));

        assertThat(contents(log)).containsExactly("0:a");
        assertThat(some.lastOffset()).isZero();
        assertThat(none.bytes()).isZero();
        assertThat(none.lastOffset()).isZero();
    }

    @Test
    void anAnswerLargerThanASegmentGoesIntoSeveral() {
        topic.segmentBytes = 200;
        PartitionLog log = fixture.log(topic.build());

        replicate(log, 0, stored(0, 0, "a"), stored(1, 0, "b"), stored(2, 0, "c"), stored(3, 0, "d".repeat(400)));

        assertThat(log.segmentCount()).isEqualTo(3);
        assertThat(log.logEndOffset()).isEqualTo(4);
        assertThat(contents(fixture.reopen().log(topic.build()))).hasSize(4).startsWith("0:a", "1:b", "2:c");
    }

    @Test
    void anEmptyLogBeginsWhereItsLeaderDoes() {
        PartitionLog log = fixture.log(topic.build());
        log.truncateFully(5);

        replicate(log, 3, stored(4, 3, "a", "b"), stored(6, 3, "c"));

        assertThat(log.logStartOffset()).isEqualTo(5);
        assertThat(contents(log)).containsExactly("5:b", "6:c");
    }

    @Test
    void aTruncationAtTheEndForgetsALeadershipThatWroteNothing() {
        PartitionLog log = fixture.log(topic.build());
        replicate(log, 1, stored(0, 1, "a"));
        log.onLeaderEpoch(2);

        log.truncateTo(1);

        assertThat(log.latestEpoch()).isEqualTo(OptionalInt.of(1));
        assertThat(contents(log)).containsExactly("0:a");
    }

    @Test
    void theAnswersBufferIsNotKept() {
        PartitionLog log = fixture.log(topic.build());
        MemoryRecords records = fetched(stored(0, 0, "a"), stored(1, 0, "b"));

        log.append(records, AppendOrigin.REPLICATION, 0);
        ByteBuffer buffer = records.buffer();
        while (buffer.hasRemaining()) {
            buffer.put((byte) 0xff); // the connection's next answer
        }

        assertThat(contents(log)).containsExactly("0:a", "1:b");
        replicate(log, 0, stored(2, 0, "c"));
        assertThat(contents(log)).containsExactly("0:a", "1:b", "2:c");
    }
}
