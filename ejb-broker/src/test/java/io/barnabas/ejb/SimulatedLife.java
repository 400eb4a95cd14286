package io.barnabas.ejb;

import io.barnabas.log.SimulatedDisk;
import io.barnabas.log.UnboundedLogThreads;
import io.barnabas.port.PeerConnection;
import io.barnabas.port.PeerConnector;
import io.barnabas.time.Ticker;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Executor;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * One life of a simulated process: runs what it does until it ends, by order or because its disk says so, and nothing after that. All its
 * threads are the one that moves the clock; what another thread would do comes later, by chance.
 */
public final class SimulatedLife implements UnboundedLogThreads {
    private static final int FORCE_MS = 4;

    private final SimulatedDisk disk;
    private final Ticker world;
    private final Random random;
    private final Runnable onEnd;
    private boolean alive = true;

    /** @param onEnd told once, within what the process was doing */
    public SimulatedLife(SimulatedDisk disk, Ticker world, Random random, Runnable onEnd) {
        this.disk = disk;
        this.world = world;
        this.random = random;
        this.onEnd = onEnd;
    }

    public boolean alive() {
        return alive;
    }

    /** Does something as this process. */
    public void run(Runnable task) {
        if (!alive) {
            return;
        }
        try {
            task.run();
        } catch (SimulatedDisk.Crash e) {
            // the disk says so for ever
        }
        if (alive && disk.crashed()) {
            end();
        }
    }

    /** The process is no more. */
    public void end() {
        alive = false;
        onEnd.run();
    }

    /** Its ticker. */
    Ticker ticker() {
        return (delayMs, task) -> world.after(delayMs, () -> run(task));
    }

    /** Threads beside those of the network. */
    Executor workers() {
        return task -> world.after(random.nextInt(2), () -> run(task));
    }

    /** Connections whose answers come to this process. */
    PeerConnector connector(PeerConnector network) {
        return (host, port, clientId) -> new Connected(network.connect(host, port, clientId));
    }

    private final class Connected implements PeerConnection {
        private final PeerConnection real;

        private Connected(PeerConnection real) {
            this.real = real;
        }

        @Override
        public void send(ApiMessage request, short version, int timeoutMs, Answer answer) {
            real.send(request, version, timeoutMs, new Answer() {
                @Override
                public void onAnswer(ApiMessage body) {
                    run(() -> answer.onAnswer(body));
                }

                @Override
                public void onFailure(RuntimeException cause) {
                    run(() -> answer.onFailure(cause));
                }
            });
        }

        @Override
        public boolean isOpen() {
            return real.isOpen();
        }

        @Override
        public boolean hasHeardWithin(long ms) {
            return real.hasHeardWithin(ms);
        }

        @Override
        public Executor eventLoop() {
            return task -> real.eventLoop().execute(() -> run(task));
        }

        @Override
        public void close() {
            real.close();
        }
    }

    // ---- threads of its logs

    @Override
    public Executor forcer(Path directory) {
        Queue<Runnable> waiting = new ArrayDeque<>(); // one after the other
        return task -> {
            waiting.add(task);
            world.after(1 + random.nextInt(FORCE_MS), () -> run(waiting.remove()));
        };
    }

    @Override
    public Executor worker() {
        return workers();
    }

    @Override
    public Executor checker() {
        return workers();
    }

    @Override
    public Executor cleaner() {
        return workers();
    }

    @Override
    public void close() {
        // what waits finds the log closed
    }
}
