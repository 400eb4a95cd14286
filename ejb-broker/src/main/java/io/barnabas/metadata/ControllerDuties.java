package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.common.protocol.ApiMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the controller does unasked: fences brokers that are not heard any more, gives leadership back to preferred replicas, and elects
 * any leader where a topic prefers that to none. All of it while this node is the controller and not alone in the cluster.
 *
 * <p>A look that comes much too late tells that this process stood still, and that what it heard last says nothing: then every broker
 * has a full session again, as under a new controller.
 *
 * <p>Threads: looks on the ticker's; what they decide is decided as every command is. Safe from any thread.
 */
final class ControllerDuties implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControllerDuties.class);
    private static final long LOOK_MS = 100;
    /** How long a broker has, after its connection closed, to be heard again. */
    private static final long DISCONNECTED_MS = 200;
    /** How long the former controller's broker has to be heard: that it lost its lead is a hint, and alive it asks its successor at once. */
    private static final long FORMER_CONTROLLER_MS = 400;

    /** Elections of one command. */
    private static final int ELECTIONS_MAX = 1_000;

    private final Controller controller;
    private final Metadata metadata;
    private final ControllerSettings settings;
    private final BrokerSessions sessions;
    private final Clock clock;
    private final Ticker ticker;
    private final Set<Integer> fencing = new HashSet<>(); // guarded by this
    private int controllerId = MetadataLog.NO_LEADER; // the last that was known; guarded by this
    private boolean leads; // guarded by this
    private long lookedMs; // guarded by this
    private volatile boolean closed;

    ControllerDuties(
            Controller controller,
            Metadata metadata,
            ControllerSettings settings,
            BrokerSessions sessions,
            ControllerService.Time time) {
        this.controller = controller;
        this.metadata = metadata;
        this.settings = settings;
        this.sessions = sessions;
        this.clock = time.clock();
        this.ticker = time.ticker();
    }

    void start(int nodeId) {
        metadata.onChange((change, image) -> onImage(image, nodeId));
        synchronized (this) {
            lookedMs = clock.monotonicMillis();
        }
        ticker.after(LOOK_MS, this::look);
        if (settings.balances()) {
            every(settings.balanceMs(), this::balance);
        }
        every(settings.uncleanMs(), this::electUnclean);
    }

    private synchronized void onImage(MetadataImage image, int nodeId) {
        int present = image.controllerId();
        boolean begins = present == nodeId && !leads;
        leads = present == nodeId;
        if (begins) {
            sessions.restart(image);
            if (controllerId >= 0 && controllerId != nodeId) {
                hint(controllerId, FORMER_CONTROLLER_MS);
            }
        }
        controllerId = present >= 0 ? present : controllerId;
    }

    private void every(long ms, LongSupplier duty) {
        ticker.after(ms, () -> {
            if (!closed) {
                every(isNeeded() ? Math.min(ms, duty.getAsLong()) : ms, duty);
            }
        });
    }

    private boolean isNeeded() {
        return controller.isActive() && metadata.image().brokers().size() > 1;
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            if (stoodStill()) {
                sessions.restart(metadata.image());
            } else if (isNeeded()) {
                fenceOverdue();
            }
        } finally {
            ticker.after(LOOK_MS, this::look);
        }
    }

    private synchronized boolean stoodStill() {
        long now = clock.monotonicMillis();
        long late = now - lookedMs - LOOK_MS;
        lookedMs = now;
        if (late <= settings.sessionTimeoutMs() / 3) {
            return false;
        }
        LOG.info("this process stood still; sessions of brokers begin anew; lateMs={}", late);
        return true;
    }

    private void fenceOverdue() {
        MetadataImage image = metadata.image();
        for (BrokerImage broker : image.brokers()) {
            if (!broker.fenced() && sessions.isOverdue(broker) && begin(broker.id())) {
                fence(broker);
            }
        }
    }

    private synchronized boolean begin(int broker) {
        return fencing.add(broker);
    }

    private synchronized void end(int broker) {
        fencing.remove(broker);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // whatever comes of it, the next look sees
    private void fence(BrokerImage overdue) {
        controller
                .submit("FenceBroker", image -> {
                    List<ApiMessage> records = new ArrayList<>();
                    image.broker(overdue.id())
                            .filter(b -> b.epoch() == overdue.epoch() && !b.fenced() && sessions.isOverdue(b))
                            .ifPresent(b -> HeartbeatControl.fence(settings.rules(), image, b, records));
                    return Decision.of(records, records.size());
                })
                .whenComplete((records, failure) -> {
                    end(overdue.id());
                    if (failure != null || records > 0) {
                        LOG.info(
                                "broker fenced; broker={} epoch={} records={} error={}",
                                overdue.id(),
                                overdue.epoch(),
                                records,
                                failure);
                    }
                });
    }

    void onDisconnected(int broker) {
        hint(broker, DISCONNECTED_MS);
    }

    private void hint(int broker, long graceMs) {
        sessions.onHint(broker, graceMs);
        ticker.after(graceMs, () -> {
            if (!closed && isNeeded()) {
                fenceOverdue();
            }
        });
    }

    /** Gives leadership back. @return when to look again, in milliseconds */
    private long balance() {
        return elect("BalanceLeaders", true);
    }

    private long electUnclean() {
        return elect("ElectUnclean", false);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the next look sees what is left
    private long elect(String name, boolean preferred) {
        MetadataImage present = metadata.image();
        boolean more = elections(present, preferred).size() >= ELECTIONS_MAX;
        controller.submit(name, image -> {
            List<ApiMessage> records = elections(image, preferred);
            return Decision.of(records, records.size());
        });
        return more ? 1 : Long.MAX_VALUE;
    }

    private List<ApiMessage> elections(MetadataImage image, boolean preferred) {
        List<ApiMessage> records = new ArrayList<>();
        PartitionRules rules = settings.rules();
        for (TopicImage topic : image.topics()) {
            boolean unclean = !preferred && rules.uncleanElection(image, topic);
            for (PartitionImage partition : topic.partitions()) {
                boolean wanted = preferred
                        ? partition.leader() >= 0
                                && partition.leader() != partition.replicas().get(0)
                        : unclean && partition.leader() < 0;
                if (wanted && records.size() < ELECTIONS_MAX) {
                    PartitionChange change = rules.change(image, topic, partition);
                    (preferred ? change.preferringFirst() : change.uncleanIf(true))
                            .decide()
                            .ifPresent(records::add);
                }
            }
        }
        return records;
    }

    @Override
    public void close() {
        closed = true;
    }
}
