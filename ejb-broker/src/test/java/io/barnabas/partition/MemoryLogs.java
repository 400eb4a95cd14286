package io.barnabas.partition;

import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogManager;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.log.PartitionLog;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** Logs in memory in one directory, which can be made to fail. Safe from any thread. */
public final class MemoryLogs implements LogManager {
    private final Map<TopicPartition, MemoryLog> logs = new ConcurrentHashMap<>();
    private final List<Consumer<DataDirectory>> failureListeners = new CopyOnWriteArrayList<>();
    private final List<TopicPartition> preferences = new CopyOnWriteArrayList<>();
    private final List<TopicPartition> setAside = new CopyOnWriteArrayList<>();
    private final List<TopicPartition> moves = new CopyOnWriteArrayList<>();
    private final Directory directory = new Directory();
    private volatile Runnable afterOpen = () -> {};

    private static final class Directory implements DataDirectory {
        private volatile boolean online = true;

        @Override
        public Uuid id() {
            return new Uuid(1, 100);
        }

        @Override
        public Path path() {
            return Path.of("/memory");
        }

        @Override
        public boolean online() {
            return online;
        }

        @Override
        public boolean cordoned() {
            return false;
        }

        @Override
        public long cleanShutdownEpoch() {
            return -1;
        }

        @Override
        public void keepFree(long bytes) {
            // there is no end of it
        }

        @Override
        public void markWith(LongSupplier brokerEpoch) {
            // nothing outlives the test
        }

        @Override
        public boolean writable() {
            return true;
        }

        @Override
        public long totalBytes() {
            return 1;
        }

        @Override
        public long usableBytes() {
            return 1;
        }
    }

    /** The directory fails. */
    public void fail() {
        directory.online = false;
        failureListeners.forEach(listener -> listener.accept(directory));
    }

    /** Runs once, when a log was opened and its partition does not have it yet. */
    public void afterNextOpen(Runnable action) {
        afterOpen = action;
    }

    /** The log of a partition that is there. */
    public MemoryLog of(String topic, int partition) {
        @Nullable MemoryLog log = logs.get(new TopicPartition(topic, partition));
        if (log == null) {
            throw new AssertionError("no log " + topic + "-" + partition);
        }
        return log;
    }

    @Override
    public List<DataDirectory> directories() {
        return List.of(directory);
    }

    @Override
    public Collection<PartitionLog> logs() {
        return List.copyOf(logs.values());
    }

    @Override
    public Optional<PartitionLog> log(TopicPartition partition) {
        return Optional.ofNullable(logs.get(partition));
    }

    @Override
    public PartitionLog openOrCreate(
            TopicPartition partition, Uuid topicId, LogConfig config, @Nullable DataDirectory wanted) {
        MemoryLog opened = logs.computeIfAbsent(partition, name -> new MemoryLog(name, topicId, directory, config));
        Runnable after = afterOpen;
        afterOpen = () -> {};
        after.run();
        return opened;
    }

    @Override
    public void delete(TopicPartition partition) {
        logs.remove(partition);
    }

    @Override
    public void setAside(TopicPartition partition) {
        logs.remove(partition);
        setAside.add(partition);
    }

    /** Partitions whose logs were set aside. */
    public List<TopicPartition> setAside() {
        return List.copyOf(setAside);
    }

    @Override
    public void prefer(TopicPartition partition, DataDirectory wanted) {
        preferences.add(partition);
    }

    /** Partitions for which a directory was preferred. */
    public List<TopicPartition> preferences() {
        return List.copyOf(preferences);
    }

    /** There is nowhere to go: remembers that it was asked. */
    @Override
    public CompletableFuture<PartitionLog> move(TopicPartition partition, DataDirectory target) {
        moves.add(partition);
        return CompletableFuture.completedFuture(of(partition.topic(), partition.partition()));
    }

    /** Partitions of which a move was asked for. */
    public List<TopicPartition> moves() {
        return List.copyOf(moves);
    }

    @Override
    public Collection<PartitionLog> futureLogs() {
        return List.of();
    }

    @Override
    public void checkpointHighWatermarks() {}

    @Override
    public void boundMoves(java.util.function.LongSupplier bytesPerSecond) {}

    @Override
    public void onDirectoryFailure(Consumer<DataDirectory> listener) {
        failureListeners.add(listener);
    }

    @Override
    public void onMoved(Consumer<PartitionLog> listener) {}

    @Override
    public void onSettled(Consumer<PartitionLog> listener) {}

    @Override
    public void reconfigure(LogManagerSettings settings) {}
}
