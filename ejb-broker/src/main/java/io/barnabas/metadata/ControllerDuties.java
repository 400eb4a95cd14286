package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the controller does unasked: fences brokers that are not heard any more or found to be gone, gives leadership back to preferred
 * replicas, and elects any leader where a topic prefers that to none. All of it while this node is the controller and not alone in the cluster.
 *
 * <p>A look that comes much too late tells that this process stood still, and that what it heard last says nothing: then every broker
 * has a full session again, as under a new controller.
 *
 * <p>Threads: looks on the ticker's; what they decide is decided as every command is. Safe from any thread.
 */
final class ControllerDuties implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControllerDuties.class);
    private static final long LOOK_MS = 100;
    /** Until a suspect is looked for again of which nothing was found out: its sockets may be closing one after the other. */
    private static final long LOOK_AGAIN_MS = 30;

    /** Elections of one command. */
    private static final int ELECTIONS_MAX = 1_000;

    private final Controller controller;
    private final Metadata metadata;
    private final ControllerSettings settings;
    private final BrokerSessions sessions;
    private final Clock clock;
    private final Ticker ticker;
    private final Set<Integer> fencing = new HashSet<>(); // guarded by this
    private final Set<Integer> probing = new HashSet<>(); // guarded by this
    private int controllerId = MetadataLog.NO_LEADER; // the last that was known; guarded by this
    private volatile BrokerProbe probe = BrokerProbe.NONE;
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

    private void onImage(MetadataImage image, int nodeId) {
        boolean begins;
        int former;
        synchronized (this) {
            begins = image.controllerId() == nodeId && !leads;
            leads = image.controllerId() == nodeId;
            former = controllerId;
            controllerId = image.controllerId() >= 0 ? image.controllerId() : former;
        }
        if (begins) {
            sessions.restart(image);
            sessions.onHint(former); // that it lost its lead
            ticker.after(0, this::probeSuspects);
        }
    }

    /** Has suspects looked for by {@code means}, from now on. */
    void probeBy(BrokerProbe means) {
        probe = means;
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
                probeSuspects();
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
        sessions.onHint(broker);
        probeSuspects();
    }

    private void probeSuspects() {
        if (closed || !isNeeded()) {
            return;
        }
        for (BrokerImage broker : metadata.image().brokers()) {
            if (!broker.fenced() && sessions.isSuspect(broker) && beginProbe(broker.id())) {
                CompletableFuture<BrokerProbe.Finding> unused =
                        probe.look(broker.id()).whenComplete((finding, failure) -> onFinding(broker, finding));
            }
        }
    }

    private synchronized boolean beginProbe(int broker) {
        return probing.add(broker);
    }

    private synchronized void endProbe(int broker) {
        probing.remove(broker);
    }

    private void onFinding(BrokerImage broker, BrokerProbe.@Nullable Finding finding) {
        if (finding == BrokerProbe.Finding.GONE) {
            LOG.info("nobody listens where a broker was; broker={} epoch={}", broker.id(), broker.epoch());
            sessions.onGone(broker);
            endProbe(broker.id());
            fenceOverdue();
        } else if (finding == BrokerProbe.Finding.THERE) {
            sessions.onFound(broker);
            endProbe(broker.id());
        } else {
            ticker.after(LOOK_AGAIN_MS, () -> {
                endProbe(broker.id());
                probeSuspects();
            });
        }
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
        int due = elections(metadata.image(), preferred).size();
        if (due > 0) {
            controller.submit(name, image -> {
                List<ApiMessage> records = elections(image, preferred);
                return Decision.of(records, records.size());
            });
        }
        return due >= ELECTIONS_MAX ? 1 : Long.MAX_VALUE;
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
