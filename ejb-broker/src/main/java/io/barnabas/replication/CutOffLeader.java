package io.barnabas.replication;

import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.time.Ticker;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether this broker leads what it cannot commit: the controller has not answered it for the time of a session, and in-sync
 * replicas do not fetch. Then others lead, or will, but its clients hear nothing of that: a request that waits for a commit would wait
 * until they give up, and whom they ask then may be this broker again. So {@link io.barnabas.partition.Followers} lets them go, with
 * NOT_LEADER_OR_FOLLOWER and the end of the connection, and takes nothing that would wait like them.
 *
 * <p>Nothing is decided by it, so it may err: what was appended is committed or not as ever, and a client that asks again with the same
 * sequences finds out. While the quorum is lost and replicas fetch, all goes on.
 *
 * <p>Looks come on a worker, one at a time.
 */
public final class CutOffLeader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CutOffLeader.class);
    private static final long LOOK_MS = 200;

    private final BooleanSupplier sessionIsOver;
    private final long silentMs;
    private final LocalPartitions partitions;
    private final IsrChanges.Time time;
    private int cutOff; // partitions at the last look
    private volatile boolean closed;

    /**
     * @param sessionIsOver whether the controller takes this broker for gone
     * @param fetchWaitMs {@code replica.fetch.wait.max.ms}: replicas that are well fetch more often than every two of them
     */
    public CutOffLeader(
            BooleanSupplier sessionIsOver, long fetchWaitMs, LocalPartitions partitions, IsrChanges.Time time) {
        this.sessionIsOver = sessionIsOver;
        this.silentMs = Math.max(LOOK_MS, 2 * fetchWaitMs);
        this.partitions = partitions;
        this.time = time;
    }

    /** Looks from now on. */
    public void start() {
        Ticker ticker = time.ticker();
        Executor workers = time.workers();
        ticker.after(LOOK_MS, () -> {
            if (closed) {
                return;
            }
            if (cutOff > 0 || sessionIsOver.getAsBoolean()) {
                workers.execute(this::look);
            } else {
                start();
            }
        });
    }

    private void look() {
        boolean over = sessionIsOver.getAsBoolean();
        int found = 0;
        for (LocalPartition partition : partitions.partitions()) {
            if (partition.leads() && partition.followers().lookIfCutOff(over, silentMs)) {
                found++;
            }
        }
        if (found > 0 != cutOff > 0) {
            LOG.warn("leaderships that are cut off from replicas and controller; partitions={}", found);
        }
        cutOff = found;
        start();
    }

    /** Looks no more. */
    @Override
    public void close() {
        closed = true;
    }
}
