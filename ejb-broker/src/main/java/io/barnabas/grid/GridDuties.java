package io.barnabas.grid;

import io.barnabas.metadata.Controller;
import io.barnabas.metadata.ControllerService;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.QuorumState;
import io.barnabas.time.Clock;
import io.barnabas.time.Rounds;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.errors.NotControllerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the controller does because of the data grid: looks after a broker at once when its member has left, by {@link ControllerService},
 * and gives its lead to the nominee ({@link Nomination}) while all is calm. On every node of a grid; idle unless it is the controller.
 *
 * <p>Thread: a worker, one look at a time; what the grid tells comes on its own threads.
 */
public final class GridDuties implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GridDuties.class);
    private static final long LOOK_MS = 1_000;

    private final Grid grid;
    private final int nodeId;
    private final Controller controller;
    private final Metadata metadata;
    private final Clock clock;
    private final Rounds looks;
    private final Nomination nomination;
    private final AtomicBoolean giving = new AtomicBoolean();
    private volatile boolean closed;

    /**
     * What duties are done with.
     *
     * @param nodeId this node's
     * @param workers run what may take a while
     */
    public record Means(
            int nodeId, Controller controller, Metadata metadata, ControllerService.Time time, Executor workers) {}

    private GridDuties(Grid grid, Means means) {
        this.grid = grid;
        this.nodeId = means.nodeId;
        this.controller = means.controller;
        this.metadata = means.metadata;
        this.clock = means.time.clock();
        this.nomination = new Nomination(nodeId);
        this.looks = new Rounds(means.time.ticker(), means.workers, LOOK_MS, this::look);
    }

    /**
     * Begins.
     *
     * @param service is told of brokers whose member has left
     */
    public static GridDuties begin(Grid grid, Means means, ControllerService service) {
        GridDuties duties = new GridDuties(grid, means);
        grid.onLeft(id -> duties.onLeft(id, service));
        duties.looks.start();
        return duties;
    }

    private void onLeft(int left, ControllerService service) {
        if (!closed && left != nodeId && controller.isActive()) {
            LOG.info("a member has left the data grid, its broker is looked for; broker={}", left);
            service.onDisconnected(left);
        }
    }

    private void look() {
        List<GridMember> members = grid.members(); // also while another leads: the grid may have to be found first
        if (!controller.isActive()) {
            nomination.forget();
            return;
        }
        QuorumState quorum;
        try {
            quorum = controller.quorum();
        } catch (NotControllerException e) { // no more
            nomination.forget();
            return;
        }
        OptionalInt nominee = nomination.look(clock.monotonicMillis(), members, metadata.image(), quorum);
        if (nominee.isPresent() && giving.compareAndSet(false, true)) {
            give(nominee.getAsInt());
        }
    }

    private void give(int nominee) {
        CompletableFuture<Boolean> unused = controller.transferLead(nominee).whenComplete((done, e) -> {
            giving.set(false);
            LOG.info(
                    "The controller was to give its lead to the oldest member of the data grid; node={} to={} done={} error={}",
                    nodeId,
                    nominee,
                    done,
                    e);
        });
    }

    /** Gives nothing any more. */
    @Override
    public void close() {
        closed = true;
        looks.close();
    }
}
