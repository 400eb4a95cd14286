package io.barnabas.simulation;

import io.barnabas.log.UnboundedLogThreads;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Executor;

/** The threads of one process as queues: a seed decides whose next task runs, on the one thread that there is. */
final class SimulatedThreads implements UnboundedLogThreads {
    private final Map<String, Queue<Runnable>> lanes = new LinkedHashMap<>();

    Executor lane(String name) {
        Queue<Runnable> queue = lanes.computeIfAbsent(name, n -> new ArrayDeque<>());
        return queue::add;
    }

    boolean isBusy(String lane) {
        return !lanes.getOrDefault(lane, new ArrayDeque<>()).isEmpty();
    }

    /** Runs one task, if any waits. */
    boolean runOne(Random random) {
        List<Queue<Runnable>> busy = new ArrayList<>();
        for (Queue<Runnable> lane : lanes.values()) {
            if (!lane.isEmpty()) {
                busy.add(lane);
            }
        }
        if (busy.isEmpty()) {
            return false;
        }
        busy.get(random.nextInt(busy.size())).remove().run();
        return true;
    }

    @Override
    public Executor forcer(Path directory) {
        return lane("forcer " + directory);
    }

    @Override
    public Executor worker() {
        return lane("worker");
    }

    @Override
    public Executor checker() {
        return lane("checker");
    }

    @Override
    public Executor cleaner() {
        return lane("cleaner");
    }

    @Override
    public void close() {
        lanes.values().forEach(Queue::clear);
    }
}
