package io.barnabas.system.cluster;

import java.time.Duration;
import java.util.List;

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
            Pause.of(LASTING);
            leader.thaw();
        }
    },
    KILL_CONTROLLER("kill -9 the controller") {
        @Override
        void strike(Scene scene) throws Exception {
            scene.killAndRestart(scene.cluster().controller());
        }

        @Override
        int firstLeader(Cluster cluster) {
            return cluster.controller().id() % cluster.nodes().size() + 1;
        }
    },
    KILL_CONTROLLER_AND_LEADER("kill -9 the controller that leads") {
        @Override
        void strike(Scene scene) throws Exception {
            scene.killAndRestart(scene.cluster().controller());
        }

        @Override
        int firstLeader(Cluster cluster) {
            return cluster.controller().id();
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
    CUT_ALL("leader cut from everyone %d s") {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.cutNetwork().isolate(leader));
        }
    },
    CUT_PEERS("leader cut from its peers only %d s") {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.others(leader).forEach(other -> scene.cutBothWays(leader, other)));
        }
    },
    CUT_CONTROLLER("leader cut from the controller only %d s") {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            int controller = scene.cluster().controller().id();
            scene.cutFor(() -> scene.cutBothWays(leader, controller));
        }

        @Override
        int firstLeader(Cluster cluster) {
            return KILL_CONTROLLER.firstLeader(cluster);
        }
    },
    CUT_CONTROLLING_LEADER("controller that leads cut from everyone %d s") {
        @Override
        void strike(Scene scene) throws Exception {
            CUT_ALL.strike(scene);
        }

        @Override
        int firstLeader(Cluster cluster) {
            return cluster.controller().id();
        }
    },
    CUT_CONTROLLING_LEADER_PEERS("controller that leads cut from its peers only %d s") {
        @Override
        void strike(Scene scene) throws Exception {
            CUT_PEERS.strike(scene);
        }

        @Override
        int firstLeader(Cluster cluster) {
            return cluster.controller().id();
        }
    },
    CUT_OUT("what the leader sends to its peers is lost %d s") {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.others(leader)
                    .forEach(other -> scene.cluster().network().cut(leader, other)));
        }
    },
    CUT_IN("what its peers send to the leader is lost %d s") {
        @Override
        void strike(Scene scene) {
            int leader = scene.leader().id();
            scene.cutFor(() -> scene.others(leader)
                    .forEach(other -> scene.cluster().network().cut(other, leader)));
        }
    };

    /** How long a fault lasts that is not a death. */
    static final Duration LASTING = Duration.ofSeconds(Integer.getInteger("cluster.lasting", 20));

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
            CUT_ALL, CUT_PEERS, CUT_CONTROLLER, CUT_CONTROLLING_LEADER, CUT_CONTROLLING_LEADER_PEERS, CUT_OUT, CUT_IN);

    private final String title;

    Fault(String title) {
        this.title = title;
    }

    /** As it stands in the table. */
    String title() {
        return title.formatted(LASTING.toSeconds());
    }

    abstract void strike(Scene scene) throws Exception;

    /** The node that is to lead the partition at first. */
    int firstLeader(Cluster cluster) {
        return 1;
    }
}
