package io.barnabas.system.bench;

import static io.barnabas.system.bench.GroupBench.say;

import io.barnabas.system.bench.GroupBench.Broker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** The scenes of many members, which are connections of a {@link WireLoop}: their coordinator is what is measured. */
final class GroupScenes {
    private static final int GROUPS = 100;
    private static final int MEMBERS_OF_MANY = 10;
    private static final int MEMBERS_OF_ONE = 200;
    private static final int PARTITIONS_OF_ONE = 500;
    private static final int BEAT_INTERVAL_MS = 500;
    private static final int BEATING_MS = 8_000;
    private static final int IDLE_MS = 5_000;
    private static final int QUIET_MS = 2_000; // longer than the assignment interval of a group
    private static final int TIMEOUT_MS = 120_000;

    private final Broker broker;
    private final GroupType protocol;

    GroupScenes(Broker broker, GroupType protocol) {
        this.broker = broker;
        this.protocol = protocol;
    }

    void many(int rounds) throws Exception {
        Samples joinMs = new Samples();
        Samples joinCpu = new Samples();
        Samples beatCpu = new Samples();
        try (Topics topics = new Topics(broker.bootstrap(), 1, MEMBERS_OF_MANY)) {
            awaitCoordinators();
            double idle = idle();
            for (int round = 0; round <= rounds; round++) {
                try (WireLoop loop = new WireLoop(broker.bootstrap())) {
                    List<WireGroup> groups = groups(loop, topics);
                    Span join = new Span(idle);
                    groups.forEach(group -> group.members.forEach(WireMember::join));
                    loop.run(TIMEOUT_MS, () -> groups.stream().allMatch(WireGroup::isSettled));
                    join.end();
                    double beats = beat(loop, groups, idle);
                    leave(loop, groups);
                    if (round > 0) {
                        joinMs.add(join.ms);
                        joinCpu.add(join.cpu);
                        beatCpu.add(beats);
                    }
                }
            }
        }
        say(protocol + ".many.join", joinMs, "ms");
        say(protocol + ".many.join.cpu", joinCpu, "CPU-s");
        say(protocol + ".many.beats.cpu", beatCpu, "ms/1000");
    }

    private List<WireGroup> groups(WireLoop loop, Topics topics) throws Exception {
        Uuid topicId = topics.id(topics.name());
        List<WireGroup> groups = new ArrayList<>();
        for (int i = 0; i < GROUPS; i++) {
            groups.add(group(loop, topics.name(), topicId, MEMBERS_OF_MANY, MEMBERS_OF_MANY));
        }
        return groups;
    }

    private WireGroup group(WireLoop loop, String topic, Uuid topicId, int partitions, int members) throws IOException {
        WireGroup group = new WireGroup("bench-" + Uuid.randomUuid(), topic, topicId, partitions);
        for (int i = 0; i < members; i++) {
            group.members.add(member(loop, group));
        }
        return group;
    }

    private WireMember member(WireLoop loop, WireGroup group) throws IOException {
        return protocol == GroupType.CLASSIC ? new ClassicWireMember(loop, group) : new ConsumerWireMember(loop, group);
    }

    /** CPU milliseconds for a thousand heartbeats. */
    private double beat(WireLoop loop, List<WireGroup> groups, double idle) throws IOException {
        List<WireMember> members =
                groups.stream().flatMap(group -> group.members.stream()).toList();
        for (int i = 0; i < members.size(); i++) {
            members.get(i).beatEvery(BEAT_INTERVAL_MS, BEAT_INTERVAL_MS * i / members.size());
        }
        loop.run(2 * BEAT_INTERVAL_MS);
        long before = groups.stream().mapToLong(group -> group.beats).sum();
        Span span = new Span(idle);
        loop.run(BEATING_MS);
        span.end();
        long beats = groups.stream().mapToLong(group -> group.beats).sum() - before;
        return span.cpu * 1e6 / beats;
    }

    private static void leave(WireLoop loop, List<WireGroup> groups) throws IOException {
        int[] left = {0};
        int all = 0;
        for (WireGroup group : groups) {
            all += group.members.size();
            group.members.forEach(member -> member.leave(() -> left[0]++));
        }
        int expected = all;
        loop.run(TIMEOUT_MS, () -> left[0] == expected);
    }

    void rebalance(int rounds) throws Exception {
        Samples[] samples = {new Samples(), new Samples(), new Samples(), new Samples()};
        try (Topics topics = new Topics(broker.bootstrap(), 1, PARTITIONS_OF_ONE);
                WireLoop loop = new WireLoop(broker.bootstrap())) {
            awaitCoordinators();
            double idle = idle();
            WireGroup group = group(loop, topics.name(), topics.id(topics.name()), PARTITIONS_OF_ONE, MEMBERS_OF_ONE);
            for (WireMember member : group.members) {
                loop.run(10); // heartbeats are spread as those of members that did not start together
                member.join();
            }
            loop.run(TIMEOUT_MS, group::isSettled);
            for (int round = 0; round <= rounds; round++) {
                loop.run(QUIET_MS);
                WireMember last = member(loop, group);
                group.members.add(last);
                group.onChange();
                Span join = new Span(idle);
                last.join();
                loop.run(TIMEOUT_MS, group::isSettled);
                join.end();
                loop.run(QUIET_MS);
                Span leave = new Span(idle);
                last.leave(() -> {
                    group.members.remove(last);
                    group.onChange();
                });
                loop.run(TIMEOUT_MS, () -> group.members.size() == MEMBERS_OF_ONE && group.isSettled());
                leave.end();
                if (round > 0) {
                    samples[0].add(join.ms);
                    samples[1].add(join.cpu);
                    samples[2].add(leave.ms);
                    samples[3].add(leave.cpu);
                }
            }
            leave(loop, List.of(group));
        }
        say(protocol + ".rebalance.join", samples[0], "ms");
        say(protocol + ".rebalance.join.cpu", samples[1], "CPU-s");
        say(protocol + ".rebalance.leave", samples[2], "ms");
        say(protocol + ".rebalance.leave.cpu", samples[3], "CPU-s");
    }

    /** The first question makes the coordinators' topic. */
    private void awaitCoordinators() throws IOException {
        try (WireLoop loop = new WireLoop(broker.bootstrap())) {
            boolean[] found = {false};
            findCoordinator(loop, loop.connect(), found);
            loop.run(TIMEOUT_MS, () -> found[0]);
            loop.run(QUIET_MS);
        }
    }

    private static void findCoordinator(WireLoop loop, WireLoop.Connection connection, boolean[] found) {
        FindCoordinatorRequestData request =
                new FindCoordinatorRequestData().setKeyType((byte) 0).setCoordinatorKeys(List.of("bench"));
        connection.send(request, 5, (ApiMessage answer) -> {
            FindCoordinatorResponseData response = (FindCoordinatorResponseData) answer;
            if (response.coordinators().get(0).errorCode() == 0) {
                found[0] = true;
            } else {
                loop.after(100, () -> findCoordinator(loop, connection, found));
            }
        });
    }

    /** CPU-seconds that the broker uses each second when nobody asks anything of it. */
    private double idle() {
        double before = broker.cpu().seconds();
        Topics.pause(IDLE_MS);
        double idle = (broker.cpu().seconds() - before) * 1_000 / IDLE_MS;
        System.out.printf("idle %.4f CPU-s/s%n", idle);
        return idle;
    }

    /** From here to its end: milliseconds, and the broker's CPU-seconds above idle. */
    private final class Span {
        private final double idle;
        private final long fromNs = System.nanoTime();
        private final double fromCpu = broker.cpu().seconds();
        private double ms;
        private double cpu;

        Span(double idle) {
            this.idle = idle;
        }

        void end() {
            ms = (System.nanoTime() - fromNs) / 1e6;
            cpu = Math.max(0, broker.cpu().seconds() - fromCpu - idle * ms / 1_000);
        }
    }
}
