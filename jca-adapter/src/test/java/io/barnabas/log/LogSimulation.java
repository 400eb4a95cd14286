package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * Logs over a faulty disk, a manual clock and one thread: a seed draws settings, actions, faults and crashes, and after each of them
 * the logs are compared with what was acknowledged. The same seed does the same.
 */
final class LogSimulation {
    private static final Path DIRECTORY = Path.of("/data");
    private static final int STEPS = 140;
    private static final int KEPT_EVENTS = Integer.getInteger("events", 20);

    private final Random random;
    private final SimulatedDisk disk;
    private final LogFixture fixture;
    private final List<SimulatedPartition> partitions = new ArrayList<>();
    private final Deque<String> events = new ArrayDeque<>();
    private final boolean fsync;
    private final List<String> damage = new ArrayList<>(); // that was taken for such
    private int crashes;

    LogSimulation(long seed, SimulatedDisk disk) {
        this.random = new Random(seed);
        this.disk = disk;
        this.fsync = random.nextBoolean();
        LogManagerSettings plain = LogFixture.settings(DIRECTORY);
        this.fixture = new LogFixture(
                disk,
                new LogManagerSettings(
                        plain.directories(),
                        Set.of(),
                        1,
                        "cluster",
                        plain.defaults(),
                        2_000 + random.nextInt(20_000),
                        true,
                        1,
                        1_000 + random.nextInt(20_000),
                        random.nextBoolean() ? 24 * 8 : 1 << 16,
                        Double.MAX_VALUE,
                        86_400_000,
                        600_000,
                        1,
                        1_000 + random.nextInt(20_000),
                        30_000,
                        Long.MAX_VALUE));
        for (int i = 0; i < 2; i++) {
            TopicPartition name = new TopicPartition("t", i);
            LogConfig config = config(i == 1);
            partitions.add(new SimulatedPartition(name, config, fixture.log(name, config)));
        }
    }

    private LogConfig config(boolean compact) {
        TopicSettings topic = new TopicSettings();
        topic.compact = compact;
        topic.delete = !compact;
        topic.minCleanableDirtyRatio = 0.2;
        topic.deleteRetentionMs = 30_000;
        topic.segmentBytes = 700 + random.nextInt(3_000);
        topic.indexIntervalBytes = 50 + random.nextInt(400);
        topic.retentionMs = random.nextBoolean() ? 200_000 : -1;
        topic.retentionBytes = random.nextInt(3) == 0 ? 8_000 : -1;
        topic.durability = fsync ? LogConfig.Durability.FSYNC : LogConfig.Durability.OS;
        return topic.build();
    }

    /** Runs to the end; returns the number of crashes. An AssertionError tells the step and the last events. */
    int run() {
        for (int step = 0; step < STEPS; step++) {
            try {
                step(step);
            } catch (AssertionError | IOException | RuntimeException e) {
                throw new AssertionError("step " + step + ": " + e.getMessage() + "\n" + String.join("\n", events), e);
            }
        }
        return crashes;
    }

    private void step(int step) throws IOException {
        if (random.nextInt(12) == 0) {
            disk.crashAfter(1 + random.nextInt(60));
        } else if (random.nextInt(40) == 0) {
            disk.failWith(0.05);
        } else if (random.nextInt(40) == 0) {
            disk.room(random.nextInt(600));
        }
        try {
            act(step);
        } catch (SimulatedDisk.Crash e) {
            note(step, "crash");
        } catch (LogStorageException e) {
            note(step, "error " + e.getMessage());
        }
        damage.removeIf(what -> what.contains("cannot be read")); // an error of the disk
        if (!damage.isEmpty()) {
            throw new AssertionError("nothing is damaged, but " + damage);
        }
        if (disk.crashed() || !fixture.directories().directories().get(0).online()) {
            crash(step);
        } else if (random.nextInt(3) == 0) {
            disk.heal();
        }
    }

    private void act(int step) throws IOException {
        SimulatedPartition partition = partitions.get(random.nextInt(partitions.size()));
        int kind = random.nextInt(100);
        if (kind < 75) {
            append(step, partition);
        } else if (kind < 87) {
            long ms = random.nextInt(70_000);
            note(step, "wait " + ms);
            fixture.ticker.advance(ms);
        } else if (kind < 90) {
            truncate(step, partition);
        } else if (kind < 93) {
            deleteRecords(step, partition);
        } else if (kind < 95) {
            note(step, "flush");
            partition.log.flush();
        } else if (kind < 96) {
            restartInOrder(step);
        } else {
            disk.heal();
            partition.check();
        }
    }

    private void append(int step, SimulatedPartition partition) {
        SimulatedProducer producer = partition.producers.get(random.nextInt(partition.producers.size()));
        SimulatedProducer.Batch batch = producer.next(random, fixture.clock.wallMillis());
        partition.inFlight = batch;
        AppendResult result;
        try {
            result = partition.log.append(batch.bytes(), AppendOrigin.CLIENT, 0);
        } catch (LogStorageException e) {
            if (partition.log.directory().online()) {
                partition.inFlight = null; // it went on, so this batch must not have landed
                producer.pending = producer.id < 0 ? null : batch;
            }
            throw e;
        }
        note(
                step,
                "append " + partition.topicPartition + " " + result.baseOffset() + ".." + result.lastOffset()
                        + (result.duplicate() ? " again" : "") + " of " + producer.id);
        partition.appended(producer, batch, result);
        CompletableFuture<Void> forced = partition.log.durable(partition.end);
        if (fsync && forced.isDone() && !forced.isCompletedExceptionally()) {
            partition.forcedEnd = partition.end;
        }
        if (random.nextInt(3) != 0) {
            partition.log.onHighWatermark(partition.end);
        }
        if (random.nextInt(10) == 0) {
            producer.pending = null;
        }
    }

    private void truncate(int step, SimulatedPartition partition) {
        // what is replicated is not truncated; and compaction may have dropped it for the sake of what comes after
        long least = partition.config.compact() ? ((SegmentedLog) partition.log).highWatermark() : 0;
        long start = Math.max(partition.log.logStartOffset(), Math.min(least, partition.end));
        long to = partition.boundary(start + random.nextInt((int) (partition.end - start) + 1));
        note(step, "truncate " + partition.topicPartition + " to " + to);
        partition.truncatingTo = to;
        try {
            partition.log.truncateTo(to);
        } finally {
            // it may have failed after the cut, for want of room for a checkpoint
            if (!disk.crashed() && partition.log.directory().online()) {
                partition.truncatingTo = Long.MAX_VALUE;
                partition.forgetFrom(partition.log.logEndOffset());
            }
        }
    }

    private void deleteRecords(int step, SimulatedPartition partition) {
        long start = partition.log.logStartOffset();
        long before = start + random.nextInt((int) (partition.end - start) + 1);
        note(step, "delete " + partition.topicPartition + " before " + before);
        partition.deletingBefore = before;
        partition.log.deleteRecordsBefore(before);
        partition.promisedStart = Math.max(partition.promisedStart, before);
        partition.deletingBefore = 0;
    }

    private void restartInOrder(int step) throws IOException {
        note(step, "restart");
        disk.heal();
        fixture.close();
        fixture.restart();
        fixture.directories().onDamage((log, what) -> damage.add(what));
        for (SimulatedPartition partition : partitions) {
            partition.log = fixture.log(partition.topicPartition, partition.config);
            partition.log.onHighWatermark(partition.log.logEndOffset());
            partition.recovered(partition.log, partition.end, partition.log.logStartOffset());
        }
    }

    private void crash(int step) throws IOException {
        crashes++;
        long[] required = new long[partitions.size()];
        long[] starts = new long[partitions.size()];
        SimulatedDisk.End end = random.nextBoolean() ? SimulatedDisk.End.PROCESS_KILLED : SimulatedDisk.End.POWER_LOST;
        for (int i = 0; i < required.length; i++) {
            SimulatedPartition partition = partitions.get(i);
            long forced = Math.max(partition.forcedEnd, Math.min(partition.log.recoveryPoint(), partition.end));
            required[i] = end == SimulatedDisk.End.PROCESS_KILLED ? partition.end : forced;
            starts[i] = partition.log.logStartOffset();
        }
        note(step, end + (fsync ? " fsync" : " os"));
        fixture.abandon();
        disk.restart(end);
        noteFiles(step);
        while (random.nextInt(4) == 0 && crashesInRecovery(step)) {
            disk.restart(end);
            noteFiles(step);
        }
        disk.neverCrash();
        fixture.restart();
        fixture.directories().onDamage((log, what) -> damage.add(what));
        for (int i = 0; i < required.length; i++) {
            SimulatedPartition partition = partitions.get(i);
            PartitionLog log = fixture.log(partition.topicPartition, partition.config);
            note(
                    step,
                    "recovered " + partition.topicPartition + " " + log.logStartOffset() + ".." + log.logEndOffset());
            partition.recovered(log, required[i], starts[i]);
            log.onHighWatermark(partition.end);
        }
    }

    private boolean crashesInRecovery(int step) {
        disk.crashAfter(1 + random.nextInt(25));
        try {
            fixture.restart();
            note(step, "recovered in between");
            fixture.abandon();
            return true;
        } catch (SimulatedDisk.Crash e) {
            note(step, "crash in recovery");
            return true;
        }
    }

    private void noteFiles(int step) throws IOException {
        Path starts = DIRECTORY.resolve(DiskDirectory.LOG_STARTS);
        note(
                step,
                fixture.files.exists(starts)
                        ? new String(fixture.files.readAll(starts), java.nio.charset.StandardCharsets.UTF_8)
                                .replace('\n', ',')
                        : "no log starts");
        for (SimulatedPartition partition : partitions) {
            note(
                    step,
                    fixture.files.list(DIRECTORY.resolve(partition.topicPartition.toString())).stream()
                            .map(p -> String.valueOf(p.getFileName()).replaceFirst("^0{15}", ""))
                            .toList()
                            .toString());
        }
    }

    private void note(int step, String event) {
        events.addLast(step + " " + event);
        if (events.size() > KEPT_EVENTS) {
            events.removeFirst();
        }
    }
}
