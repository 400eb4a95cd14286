package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.LOG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.jspecify.annotations.Nullable;

/** One run of a simulated group by one seed: its coordinator and what goes wrong with it, and what its members see of the world. */
abstract class GroupRun<M> {
    static final int NEW_SESSION_MS = 45_000; // of TestConsumerGroups
    private static final Logger LOGS = Logger.getLogger("io.barnabas.coordinator");

    final Random random;
    final GroupFixture fixture = new GroupFixture();
    final List<M> members = new ArrayList<>();
    private final List<CompletableFuture<?>> requests = new ArrayList<>();
    private final boolean cooperative;
    private int names;

    GroupRun(long seed) {
        random = new Random(seed);
        cooperative = random.nextBoolean();
        LOGS.setLevel(Level.OFF); // refused appends are the point here
    }

    /** A member of either protocol. */
    interface Participant {
        @Nullable
        String instanceId();

        /** What it takes for its own, as long as it may believe that its session lasts. */
        Set<Integer> owned();

        boolean isSettled();

        void resubscribe();

        void reconcile();

        void poll();

        void leave();
    }

    /** Runs so many seeds ({@code -Dbarnabas.simulation.seeds}, {@code .firstSeed}), and names the one that fails. */
    static void forEachSeed(int usually, LongConsumer run) {
        long first = Long.getLong("barnabas.simulation.firstSeed", 1L);
        long seeds = Integer.getInteger("barnabas.simulation.seeds", usually);
        try {
            for (long seed = first; seed < first + seeds; seed++) {
                try {
                    run.accept(seed);
                } catch (Throwable e) {
                    throw new AssertionError(
                            "seed " + seed
                                    + " fails: repeat with -Dbarnabas.simulation.seeds=1 -Dbarnabas.simulation.firstSeed="
                                    + seed,
                            e);
                }
            }
        } finally {
            LOGS.setLevel(Level.WARNING);
        }
    }

    // ---- what members see

    GroupCoordinator coordinator() {
        return fixture.groups;
    }

    <T> CompletableFuture<T> sent(CompletableFuture<T> request) {
        requests.add(request);
        return request;
    }

    long nowMs() {
        return fixture.clock.monotonicMillis();
    }

    boolean coin() {
        return random.nextBoolean();
    }

    /** Whether classic members keep their partitions while they join again (KIP-429). */
    boolean cooperative() {
        return cooperative;
    }

    String protocol() {
        return cooperative ? "cooperative-sticky" : "range";
    }

    abstract int partitions();

    abstract Uuid topicId();

    abstract long nextOffset();

    abstract void onAssigned(SimulatedClassic member, int generation, Set<Integer> partitions);

    abstract void onCommitted(int partition, long offset);

    // ---- what runs share

    String nextName() {
        return "m" + names++;
    }

    int any() {
        return random.nextInt(members.size());
    }

    void fault() {
        switch (random.nextInt(6)) {
            case 0 -> fixture.log.refuse(new NotEnoughReplicasException("no"), 1 + random.nextInt(2));
            case 1 -> fixture.log.refuse(new IllegalStateException("unknown outcome"), 1);
            case 2 -> fixture.log.holdCommits(true);
            case 3 -> calm();
            case 4 -> {
                fixture.log.loseUncommitted(LOG);
                fixture.log.holdCommits(false);
            }
            default -> crash();
        }
    }

    /** The coordinator dies; what was not committed may be gone, or not. */
    private void crash() {
        fixture.groups.onResigned(0);
        if (coin()) {
            fixture.log.loseUncommitted(LOG);
        }
        fixture.restart();
    }

    void calm() {
        fixture.log.refuse(new IllegalStateException("never"), 0);
        fixture.log.holdCommits(false);
        fixture.log.commitAll(LOG);
    }

    /** Every request has its answer, none of them an exception. */
    void requireAnswered() {
        for (CompletableFuture<?> request : requests) {
            assertThat(request).isDone();
            request.join();
        }
    }
}
