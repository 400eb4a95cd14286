package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Moves that the end of the process interrupts, and what may have become of either side when they could go on. */
class InterruptedMoveTest {
    private static final Path HERE = Path.of("/here").toAbsolutePath();
    private static final Path THERE = Path.of("/there").toAbsolutePath();
    private static final long TIME = 1_700_000_000_000L;
    private static final int RECORDS = 20;
    private static final String LARGE = "x".repeat(LogMover.PIECE_BYTES / 2 - 1000);

    private final SimulatedDisk disk = new SimulatedDisk(1);
    private final LogConfig config = config(false);
    private LogFixture fixture = new LogFixture(disk, LogFixture.settings(LogConfig.defaults(), HERE, THERE));

    @AfterEach
    void close() {
        fixture.close();
    }

    private static LogConfig config(boolean compact) {
        TopicSettings topic = new TopicSettings();
        topic.segmentBytes = 3 << 20;
        topic.compact = compact;
        return topic.build();
    }

    /** Twenty large records in the first directory, of which a slow copy in the second has some. */
    private SegmentedLog interrupted(LogConfig of) {
        PartitionLog log = fixture.log(of);
        for (int i = 0; i < RECORDS; i++) {
            log.append(batch(TIME, i + LARGE), AppendOrigin.CLIENT, 1);
        }
        slowly();
        var unused = fixture.directories()
                .move(LogFixture.T0, fixture.directories().directories().get(1));
        fixture.ticker.advance(3_500);
        assertThat(copy().logEndOffset()).isBetween(4L, 14L);
        return copy();
    }

    private void slowly() {
        fixture.directories().boundMoves(() -> LogMover.PIECE_BYTES);
    }

    private SegmentedLog copy() {
        return (SegmentedLog) fixture.directories().futureLogs().iterator().next();
    }

    private void awaitMove() {
        fixture.directories().boundMoves(() -> Long.MAX_VALUE);
        advanceUntil(() -> fixture.directories().futureLogs().isEmpty());
        fixture.ticker.advance(120_000); // what is left over is deleted
    }

    private void advanceUntil(BooleanSupplier reached) {
        for (int i = 0; i < 100 && !reached.getAsBoolean(); i++) {
            fixture.ticker.advance(1_000);
        }
        assertThat(reached.getAsBoolean()).isTrue();
    }

    private void assertMoved(List<String> wanted) throws IOException {
        PartitionLog log = fixture.log(config);
        assertThat(log.directory().path()).isEqualTo(THERE);
        assertThat(contents(log).equals(wanted)).as("contents").isTrue();
        assertThat(disk.list(HERE)).noneMatch(path -> path.toString().contains("t-0"));
        assertThat(disk.list(THERE).stream().filter(path -> path.toString().contains("t-0")))
                .containsExactly(THERE.resolve("t-0"));
    }

    private static List<String> records(int from, int to, String prefix) {
        List<String> all = new ArrayList<>();
        for (int i = from; i < to; i++) {
            all.add(i + ":" + prefix + i + LARGE);
        }
        return all;
    }

    private void endOrderly(boolean orderly) {
        if (orderly) {
            fixture.close();
        } else {
            fixture.abandon();
            disk.restart(SimulatedDisk.End.PROCESS_KILLED);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aMoveGoesOnWhereItWasWhenTheLogIsOpenedAgain(boolean orderly) throws IOException {
        // Given
        long copied = interrupted(config).logEndOffset();

        // When
        endOrderly(orderly);
        fixture.restart();
        slowly();

        // Then
        assertThat(copy().logEndOffset()).isEqualTo(copied); // shown before its topic is known
        fixture.log(config);
        assertThat(copy().logEndOffset()).isEqualTo(copied);
        fixture.ticker.advance(LogMover.RESUME_MS + 1_500);
        assertThat(copy().logEndOffset()).isBetween(copied + 2, copied + 6); // as slowly as before
        awaitMove();
        assertMoved(records(0, RECORDS, ""));
    }

    @Test
    void aMoveCanBeGivenUpAfterTheStart() throws IOException {
        interrupted(config);
        fixture.reopen();
        slowly();
        fixture.log(config);

        var unused = fixture.directories()
                .move(LogFixture.T0, fixture.directories().directories().get(0));
        fixture.ticker.advance(120_000);

        assertThat(fixture.directories().futureLogs()).isEmpty();
        assertThat(disk.list(THERE)).noneMatch(path -> path.toString().contains("t-0"));
        assertThat(fixture.log(config).directory().path()).isEqualTo(HERE);
    }

    @Test
    void aCopyThatHasMoreThanItsLogIsCut() throws IOException {
        // Given: the log lost its end with the power, the copy did not
        long copied = interrupted(config).logEndOffset();
        fixture.log(config).truncateTo(copied - 2);
        fixture.abandon();
        disk.restart(SimulatedDisk.End.PROCESS_KILLED);
        fixture.restart();
        slowly();

        // When
        PartitionLog log = fixture.log(config);

        // Then
        assertThat(copy().logEndOffset()).isEqualTo(copied - 2);
        for (int i = (int) copied - 2; i < RECORDS; i++) {
            log.append(batch(TIME, "n" + i + LARGE), AppendOrigin.CLIENT, 2);
        }
        awaitMove();
        List<String> wanted = records(0, (int) copied - 2, "");
        wanted.addAll(records((int) copied - 2, RECORDS, "n"));
        assertMoved(wanted);
    }

    /** As where a follower was cut while the directory of the copy was away, and has more by now than the copy. */
    @Test
    void aCopyOfAnotherHistoryBeginsAnew() throws IOException {
        // Given
        long copied = interrupted(config).logEndOffset();
        fixture.abandon();
        disk.restart(SimulatedDisk.End.PROCESS_KILLED);
        disk.away(Set.of(THERE));
        fixture.restart();
        PartitionLog log = fixture.log(config);
        log.truncateTo(copied - 2);
        for (int i = (int) copied - 2; i < RECORDS; i++) {
            log.append(batch(TIME, "n" + i + LARGE), AppendOrigin.CLIENT, 2);
        }
        fixture.abandon();
        disk.restart(SimulatedDisk.End.PROCESS_KILLED);
        disk.away(Set.of());

        // When
        fixture.restart();
        fixture.log(config);
        awaitMove();

        // Then
        List<String> wanted = records(0, (int) copied - 2, "");
        wanted.addAll(records((int) copied - 2, RECORDS, "n"));
        assertMoved(wanted);
    }

    @Test
    void theCopyOfADeletedTopicGoes() throws IOException {
        // Given
        interrupted(config);
        fixture.reopen();

        // When: the topic was made anew meanwhile
        fixture.directories().delete(LogFixture.T0);
        PartitionLog other = fixture.directories().openOrCreate(LogFixture.T0, new Uuid(8, 8), config, null);
        fixture.ticker.advance(120_000);

        // Then
        assertThat(other.logEndOffset()).isZero();
        assertThat(fixture.directories().futureLogs()).isEmpty();
        assertThat(disk.list(THERE)).noneMatch(path -> path.toString().contains("future"));
    }

    @Test
    void aCopyOfAnotherTopicsLogGoes() throws IOException {
        // Given: the directory of the copy was away when the topic was deleted and made anew
        interrupted(config);
        fixture.close();
        disk.away(Set.of(THERE));
        fixture.restart();
        fixture.directories().delete(LogFixture.T0);
        PartitionLog other = fixture.directories().openOrCreate(LogFixture.T0, new Uuid(8, 8), config, null);
        other.append(batch(TIME, "new"), AppendOrigin.CLIENT, 1);
        fixture.close();
        disk.away(Set.of());

        // When
        fixture.restart();
        PartitionLog again = fixture.directories().openOrCreate(LogFixture.T0, new Uuid(8, 8), config, null);
        fixture.ticker.advance(120_000);

        // Then
        assertThat(contents(again)).containsExactly("0:new");
        assertThat(again.directory().path()).isEqualTo(HERE);
        assertThat(fixture.directories().futureLogs()).isEmpty();
        assertThat(disk.list(THERE)).noneMatch(path -> path.toString().contains("t-0"));
    }

    @Test
    void aCopyIsNotTheLogWhileTheDirectoryOfTheLogIsAway() throws IOException {
        // Given
        interrupted(config);
        fixture.close();
        disk.away(Set.of(HERE));

        // When
        fixture.restart();

        // Then
        assertThat(fixture.directories().log(LogFixture.T0)).isEmpty();
        assertThat(fixture.directories().futureLogs()).hasSize(1);
        fixture.ticker.advance(120_000);
        fixture.close();
        disk.away(Set.of());
        fixture.restart();
        fixture.log(config);
        awaitMove();
        assertMoved(records(0, RECORDS, ""));
    }

    /** Done, and nobody has told the metadata yet. */
    private void movedUntold() throws IOException {
        interrupted(config);
        fixture.metadataLearn = false;
        awaitMove();
        assertThat(fixture.log(config).directory().path()).isEqualTo(THERE);
        assertThat(moved()).singleElement().satisfies(moved -> assertThat(moved.directoryId())
                .isEqualTo(fixture.log(config).directory().id()));
    }

    private Collection<MovedLog> moved() {
        return fixture.directories().moved();
    }

    /** The metadata say that the log is where it was: a start that believed them would begin it there. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whereALogWentIsKnownUntilTheMetadataKnow(boolean orderly) throws IOException {
        // Given
        movedUntold();

        // When: twice, since the first start must not spoil it
        for (int i = 0; i < 2; i++) {
            endOrderly(orderly);
            disk.away(Set.of(THERE));
            fixture.restart();
            fixture.ticker.advance(120_000);
        }

        // Then
        assertThat(fixture.directories().log(LogFixture.T0)).isEmpty();
        assertThat(moved()).singleElement().satisfies(moved -> assertThat(
                        moved.isOf(LogFixture.T0, LogFixture.TOPIC_ID))
                .isTrue());
        disk.away(Set.of());
        endOrderly(orderly);
        fixture.restart();
        assertThat(moved()).hasSize(1);
        fixture.metadataLearn = true;
        fixture.log(config);
        assertThat(moved()).isEmpty();
        fixture.ticker.advance(120_000);
        assertMoved(records(0, RECORDS, ""));
    }

    @Test
    void aLogIsMovedAgainOnceTheMetadataKnow() throws IOException {
        movedUntold();
        DataDirectory here = fixture.directories().directories().get(0);

        var back = fixture.directories().move(LogFixture.T0, here);
        fixture.ticker.advance(60_000);
        assertThat(back).isNotDone();
        assertThat(copy().logEndOffset()).isZero();
        fixture.directories().onMoveRecorded(LogFixture.T0);
        fixture.ticker.advance(60_000);

        assertThat(back).isCompleted();
        assertThat(fixture.log(config).directory()).isEqualTo(here);
        assertThat(contents(fixture.log(config)).equals(records(0, RECORDS, "")))
                .isTrue();
    }

    @Test
    void whatAMovedLogLeftBehindGoesWithTheLog() throws IOException {
        movedUntold();

        fixture.directories().delete(LogFixture.T0);
        fixture.ticker.advance(120_000);

        assertThat(moved()).isEmpty();
        assertThat(disk.list(HERE)).noneMatch(path -> path.toString().contains("t-0"));
        assertThat(disk.list(THERE)).noneMatch(path -> path.toString().contains("t-0"));
    }

    /** The copy has less than what was acknowledged: this broker has lost the log, and others may have it. */
    @Test
    void aCopyIsNotTheLogWhoseDiskWasReplaced() throws IOException {
        interrupted(config);
        fixture.close();
        disk.deleteTree(HERE);

        fixture.restart();

        assertThat(fixture.directories().log(LogFixture.T0)).isEmpty();
        assertThat(fixture.log(config).logEndOffset()).isZero();
        fixture.ticker.advance(120_000);
        assertThat(contents(fixture.log(config))).isEmpty();
    }

    @Test
    void aMoveWhoseLogsDirectoryFailsGoesOnAfterTheNextStart() throws IOException {
        // Given
        long copied = interrupted(config).logEndOffset();

        // When
        fixture.directories().disks().get(0).broken("A test", new IOException("Input/output error"));
        fixture.ticker.advance(5_000);
        fixture.close();
        fixture.restart();
        slowly();
        fixture.log(config);

        // Then
        assertThat(copy().logEndOffset()).isEqualTo(copied);
        awaitMove();
        assertMoved(records(0, RECORDS, ""));
    }

    @Test
    void aMoveWhoseTargetFailsGoesOnAfterTheNextStart() throws IOException {
        // Given
        interrupted(config);

        // When
        fixture.directories().disks().get(1).broken("A test", new IOException("Input/output error"));
        fixture.ticker.advance(5_000);

        // Then
        PartitionLog log = fixture.log(config);
        log.append(batch(TIME, RECORDS + LARGE), AppendOrigin.CLIENT, 1);
        fixture.close();
        fixture.restart();
        fixture.log(config);
        awaitMove();
        assertMoved(records(0, RECORDS + 1, ""));
    }

    /** As where a directory failed when the log left it, and forgot that it had. */
    @Test
    void ofALogInTwoDirectoriesTheOneThatGoesFurtherIsTaken() throws IOException {
        // Given
        Path copy = interrupted(config).folder().path();
        fixture.close();
        disk.rename(copy, THERE.resolve("t-0"));

        // When
        fixture = new LogFixture(disk, LogFixture.settings(LogConfig.defaults(), THERE, HERE));

        // Then
        assertThat(fixture.log(config).directory().path()).isEqualTo(HERE);
        assertThat(fixture.log(config).logEndOffset()).isEqualTo(RECORDS);
    }

    /** Else a key that was deleted in between would come back with the copy. */
    @Test
    void theCopyOfACompactedLogThatWasAwayForLongBeginsAnew() {
        // Given
        LogConfig compacted = config(true);
        SegmentedLog copy = interrupted(compacted);
        long copied = copy.logEndOffset();
        disk.nowMs = fixture.clock.wallMillis();
        fixture.reopen();
        slowly();
        fixture.log(compacted);
        assertThat(copy().logEndOffset()).isEqualTo(copied);

        // When
        fixture.close();
        fixture.clock.advance(TimeUnit.HOURS.toMillis(25));
        fixture.restart();
        slowly();
        fixture.log(compacted);

        // Then
        assertThat(copy().logEndOffset()).isZero();
        awaitMove();
        assertThat(fixture.log(compacted).logEndOffset()).isEqualTo(RECORDS);
    }

    @Test
    void aLogThatIsMovedIsNotCompacted() {
        // Given
        fixture.close();
        fixture = new LogFixture(disk, LogFixture.cleaning(LogFixture.settings(LogConfig.defaults(), HERE, THERE)));
        LogConfig compacted = config(true);
        PartitionLog log = fixture.log(compacted);
        for (int i = 0; i < RECORDS; i++) {
            log.append(batch(TIME, LARGE), AppendOrigin.CLIENT, 1);
        }
        log.flush();
        log.onHighWatermark(RECORDS);
        fixture.directories().boundMoves(() -> 1);
        var unused = fixture.directories()
                .move(LogFixture.T0, fixture.directories().directories().get(1));

        // When / Then
        fixture.ticker.advance(300_000);
        assertThat(contents(log)).hasSize(RECORDS);
        var ended = fixture.directories()
                .move(LogFixture.T0, fixture.directories().directories().get(0));
        fixture.ticker.advance(300_000);
        assertThat(contents(log)).hasSizeLessThan(RECORDS);
    }
}
