package io.barnabas.system.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What befalls a cluster. Each fault is over, and healed as far as an operator heals it, when {@link #strike} returns. */
enum Fault {
    KILL_LEADER("kill -9 the leader") {
        @Override
        void strike(Scene scene) throws Exception {
            scene.killAndRestart(scene.leader());
        }
    },
    STOP_LEADER("SIGTERM to the leader, restart") {
        @Override
        void strike(Scene scene) throws Exception {
            scene.stopAndRestart(scene.leader());
        }
    },
    STOP_FOLLOWER("SIGTERM to a follower, restart") {
        @Override
        void strike(Scene scene) throws Exception {
            scene.stopAndRestart(scene.follower());
        }
    },
    ROLLING_RESTART("SIGTERM to each node in turn, restart") {
        @Override
        void strike(Scene scene) throws Exception {
            for (Node node : scene.cluster().nodes()) {
                scene.stopAndRestart(node);
                scene.awaitWhole();
            }
        }
    },
    FREEZE_LEADER("SIGSTOP the leader %d s") {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            leader.freeze();
            scene.last();
            leader.thaw();
        }
    },
    KILL_CONTROLLER("kill -9 the controller", First.ANOTHER) {
        @Override
        void strike(Scene scene) throws Exception {
            scene.killAndRestart(scene.cluster().controller());
        }
    },
    KILL_CONTROLLER_AND_LEADER("kill -9 the controller that leads", First.CONTROLLER) {
        @Override
        void strike(Scene scene) throws Exception {
            scene.killAndRestart(scene.cluster().controller());
        }
    },
    KILL_ALL("kill -9 all, restart") {
        @Override
        void strike(Scene scene) throws Exception {
            for (Node node : scene.cluster().nodes()) {
                node.kill();
            }
            scene.cluster().launchAll();
        }
    },
    CUT_ALL("leader cut from everyone %d s", Need.NETWORK) {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.cutNetwork().isolate(leader));
        }
    },
    CUT_PEERS("leader cut from its peers only %d s", Need.NETWORK) {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.others(leader).forEach(other -> scene.cutBothWays(leader, other)));
        }
    },
    CUT_CONTROLLER("leader cut from the controller only %d s", First.ANOTHER, Need.NETWORK) {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            int controller = scene.cluster().controller().id();
            scene.cutFor(() -> scene.cutBothWays(leader, controller));
        }
    },
    CUT_CONTROLLING_LEADER("controller that leads cut from everyone %d s", First.CONTROLLER, Need.NETWORK) {
        @Override
        void strike(Scene scene) throws Exception {
            CUT_ALL.strike(scene);
        }
    },
    CUT_CONTROLLING_LEADER_PEERS("controller that leads cut from its peers only %d s", First.CONTROLLER, Need.NETWORK) {
        @Override
        void strike(Scene scene) throws Exception {
            CUT_PEERS.strike(scene);
        }
    },
    CUT_OUT("what the leader sends to its peers is lost %d s", Need.NETWORK) {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.others(leader)
                    .forEach(other -> scene.cluster().network().cut(leader, other)));
        }
    },
    CUT_IN("what its peers send to the leader is lost %d s", Need.NETWORK) {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.others(leader)
                    .forEach(other -> scene.cluster().network().cut(other, leader)));
        }
    },
    CUT_FOLLOWER("follower cut from the leader only 14 s", First.ANOTHER, Need.NETWORK) {
        /** In between two retries of TCP that are more than ten seconds apart. */
        private static final Duration IN_BACK_OFF = Duration.ofSeconds(14);

        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            int controller = scene.cluster().controller().id();
            scene.others(leader).stream()
                    .filter(other -> other != controller)
                    .forEach(follower -> scene.cutBothWays(leader, follower));
            Pause.of(IN_BACK_OFF);
            scene.healSoon();
        }
    },
    CUT_EACH("every node cut from every other %d s", Need.NETWORK) {
        @Override
        void strike(Scene scene) {
            List<Node> nodes = scene.cluster().nodes();
            nodes.forEach(one -> scene.others(one.id())
                    .forEach(other -> scene.cluster().network().cut(one.id(), other)));
            Pause.of(LASTING);
            scene.healSoon();
        }
    },
    DISK_FULL("disk of the leader full %d s", Need.DISKS) {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            leader.disk().fill();
            scene.last();
            leader.disk().free();
            scene.heal(leader);
        }
    },
    READ_ONLY("disk of the leader turns read-only %d s", Need.DISKS) {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            scene.breakAndMend(leader, leader.disk()::turnReadOnly, leader.disk()::repair);
        }
    },
    DISK_GONE("disk of the leader fails reads and writes %d s", Need.DISKS) {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            scene.breakAndMend(leader, leader.disk()::losePower, leader.disk()::repair);
        }
    },
    FORCES_FAIL("EIO on force at the leader %d s", Need.UNRELIABILITY) {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            scene.breakAndMend(leader, () -> leader.unreliable().failForces(true), () -> leader.unreliable()
                    .failForces(false));
        }
    },
    WRITES_FAIL("EIO on write at the leader %d s", Need.UNRELIABILITY) {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            scene.breakAndMend(leader, () -> leader.unreliable().failWrites(true), () -> leader.unreliable()
                    .failWrites(false));
        }
    },
    NO_FILES("EMFILE at the leader %d s") {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            String limit = leader.openFilesLimit();
            leader.limitOpenFiles("16:" + limit.substring(limit.indexOf(':') + 1));
            scene.last();
            if (leader.alive()) {
                leader.limitOpenFiles(limit);
            }
            scene.heal(leader);
        }
    },
    POWER_LEADER("power loss of the leader", Need.DISKS) {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            scene.losePower(List.of(leader));
            scene.goOnWithout(leader);
        }
    },
    POWER_ALL("power loss of all, forced to disk", Need.DISKS) {
        @Override
        void strike(Scene scene) throws Exception {
            scene.losePower(scene.cluster().nodes());
            scene.cluster().launchAll();
        }

        @Override
        Map<String, String> topic(Product product) {
            return product.forced();
        }
    },
    DAMAGE("flipped bit or cut tail in a file of the leader") {
        @Override
        void strike(Scene scene, int turn) throws Exception {
            scene.damage(turn);
        }

        @Override
        Map<String, String> topic(Product product) {
            return Map.of("segment.ms", "2000", "index.interval.bytes", "100");
        }
    },
    CLOCK_AHEAD("clock of the leader 10 years ahead %d s, restart", Need.UNRELIABILITY) {
        @Override
        void strike(Scene scene) throws Exception {
            scene.withClock(TEN_YEARS);
        }
    },
    CLOCK_BEHIND("clock of the leader 10 years behind %d s, restart", Need.UNRELIABILITY) {
        @Override
        void strike(Scene scene) throws Exception {
            scene.withClock(TEN_YEARS.negated());
        }
    },
    MIX("everything at random %d s, transactions and groups") {
        @Override
        void strike(Scene scene) throws Exception {
            new Mix(scene).run();
        }

        @Override
        String title() {
            return super.title().replace(LASTING.toSeconds() + " s", Mix.SECONDS + " s");
        }
    },
    LOST_DISK("disk of the leader lost, replaced") {
        @Override
        void strike(Scene scene) throws Exception {
            Node leader = scene.leader();
            leader.kill();
            scene.awaitFlow();
            scene.replaceDisk(leader);
        }
    };

    private static final Duration TEN_YEARS = Duration.ofDays(3650);

    /** How long a fault lasts that is not a death. */
    static final Duration LASTING = Duration.ofSeconds(Integer.getInteger("cluster.lasting", 20));

    /** How many times its bound a fault may take where the machine has other work, too. */
    private static final int SLOWER = Integer.getInteger("cluster.slower", 1);

    static final List<Fault> OF_PROCESSES = List.of(
            KILL_LEADER,
            FREEZE_LEADER,
            KILL_CONTROLLER,
            KILL_CONTROLLER_AND_LEADER,
            STOP_FOLLOWER,
            STOP_LEADER,
            ROLLING_RESTART,
            KILL_ALL);

    static final List<Fault> OF_NETWORK = List.of(
            CUT_ALL,
            CUT_PEERS,
            CUT_CONTROLLER,
            CUT_CONTROLLING_LEADER,
            CUT_CONTROLLING_LEADER_PEERS,
            CUT_OUT,
            CUT_IN,
            CUT_FOLLOWER,
            CUT_EACH);

    static final List<Fault> OF_DISKS = List.of(
            DISK_FULL,
            READ_ONLY,
            DISK_GONE,
            FORCES_FAIL,
            WRITES_FAIL,
            NO_FILES,
            POWER_LEADER,
            POWER_ALL,
            DAMAGE,
            LOST_DISK);

    static final List<Fault> OF_CLOCKS = List.of(CLOCK_AHEAD, CLOCK_BEHIND);

    /** Which node is to lead the partition at first. */
    private enum First {
        ONE {
            @Override
            int of(Cluster cluster) {
                return 1;
            }
        },
        CONTROLLER {
            @Override
            int of(Cluster cluster) {
                return cluster.controller().id();
            }
        },
        /** Not the controller. */
        ANOTHER {
            @Override
            int of(Cluster cluster) {
                return cluster.controller().id() % cluster.nodes().size() + 1;
            }
        };

        abstract int of(Cluster cluster);
    }

    private final String title;
    private final First first;
    private final List<Need> needs;

    Fault(String title, Need... needs) {
        this(title, First.ONE, needs);
    }

    Fault(String title, First first, Need... needs) {
        this.title = title;
        this.first = first;
        this.needs = List.of(needs);
    }

    /** The longest time without an acknowledgement that is borne; empty where nothing is said of that. */
    Optional<Duration> bound() {
        return switch (this) {
            case KILL_LEADER -> seconds(2);
            case STOP_LEADER, STOP_FOLLOWER, ROLLING_RESTART, KILL_CONTROLLER, KILL_CONTROLLER_AND_LEADER -> seconds(3);
            case KILL_ALL -> seconds(20);
            case POWER_ALL -> seconds(40);
            case CUT_EACH -> seconds((int) LASTING.toSeconds() + 5);
            case MIX -> Optional.empty();
            default -> seconds(5);
        };
    }

    private static Optional<Duration> seconds(int seconds) {
        return Optional.of(Duration.ofSeconds(seconds).multipliedBy(SLOWER));
    }

    /** What of the machine it takes. */
    List<Need> needs() {
        return needs;
    }

    /** Settings of the topic that it is played on. */
    Map<String, String> topic(Product product) {
        return Map.of("segment.ms", "3000"); // so that files are begun, forced and closed all the time
    }

    /** As it stands in the table. */
    String title() {
        return title.formatted(LASTING.toSeconds());
    }

    /** @param turn how often it has struck in this scene */
    void strike(Scene scene, int turn) throws Exception {
        strike(scene);
    }

    /** The same, for what is always alike. */
    void strike(Scene scene) throws Exception {
        throw new UnsupportedOperationException(name());
    }

    /** The node that is to lead the partition at first. */
    int firstLeader(Cluster cluster) {
        return first.of(cluster);
    }
}
