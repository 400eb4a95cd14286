package io.barnabas.simulation;

import io.barnabas.coordinator.group.ClientInfo;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.partition.LocalPartition;
import io.barnabas.time.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A broker's logs, partitions and group coordinator under clients, an admin, a clock that jumps and a disk that fails; one thread, all
 * by a seed. The process is killed or loses power at any operation of a file, and what was promised is compared after each start.
 */
final class BrokerSimulation {
    private static final int STEPS = 220;
    private static final int SETTLING_ROUNDS = 200;
    private static final List<String> GROUPS = List.of("g0", "g1", "g2");
    private static final ClientInfo CLIENT = new ClientInfo((short) 9, "client", "/h");

    private final Random random;
    private final Product product;
    private final SimulatedDisk disk;
    private final ManualClock clock = new ManualClock();
    private final Trace trace = new Trace();
    private final boolean fsync;
    private final SimulationSettings settings;
    private final Map<String, LogConfig> topics = new HashMap<>();
    private final SimulatedNode.World world;
    private final Map<TopicPartition, PartitionHistory> histories = new LinkedHashMap<>();
    private final List<ProducingClient> producers = new ArrayList<>();
    private final List<GroupMember> members = new ArrayList<>();
    private final List<CompletableFuture<?>> expected = new ArrayList<>();
    private final CalmGroups calm = new CalmGroups(this);
    private final CommittedOffsets offsets = new CommittedOffsets();
    private final SimulationTally tally = new SimulationTally();
    private SimulatedNode node;
    private int life;
    private int leaderEpoch;
    private long ids;
    private long values;
    private @Nullable Throwable failure;

    BrokerSimulation(long seed, Product product, boolean forcesAreLies) throws IOException {
        this.random = new Random(seed);
        this.product = product;
        this.disk = new SimulatedDisk(seed);
        this.fsync = forcesAreLies || random.nextBoolean();
        if (forcesAreLies) {
            disk.lieAboutForces();
        }
        this.settings = new SimulationSettings(random, fsync);
        topics.put(SimulatedNode.TOPIC, settings.topic(SimulatedNode.TOPIC));
        topics.put(SimulatedNode.OFFSETS, settings.topic(SimulatedNode.OFFSETS));
        this.world = new SimulatedNode.World(
                disk, clock, settings.logs(), SimulationSettings.groups(), topics, name -> name + "-" + ++ids, product);
        this.node = new SimulatedNode(world, leaderEpoch);
        for (int i = 0; i < SimulatedNode.PARTITIONS; i++) {
            TopicPartition partition = new TopicPartition(SimulatedNode.TOPIC, i);
            histories.put(partition, new PartitionHistory(partition));
            producers.add(new ProducingClient(partition, this, random));
            producers.add(new ProducingClient(partition, this, random));
        }
        allowDeletion();
        node.ticker.advance(61_000); // the first checkpoint
        drain();
    }

    private void allowDeletion() {
        LogConfig now = topics.getOrDefault(SimulatedNode.TOPIC, LogConfig.defaults());
        if (now.retentionMs() >= 0 || now.retentionBytes() >= 0) {
            histories.values().forEach(history -> history.mayDelete = true);
        }
    }

    // ---- what clients see

    SimulatedNode node() {
        return node;
    }

    Product product() {
        return product;
    }

    CommittedOffsets offsets() {
        return offsets;
    }

    PartitionHistory history(TopicPartition partition) {
        PartitionHistory history = histories.get(partition);
        if (history == null) {
            throw new AssertionError("no history of " + partition);
        }
        return history;
    }

    long nextProducerId() {
        return ++ids;
    }

    String nextValue() {
        return "v" + ++values + ".";
    }

    long now() {
        return clock.wallMillis();
    }

    boolean losesMessage() {
        return random.nextInt(25) == 0;
    }

    void note(String event) {
        trace.note(event);
    }

    /** Counts the processes: a batch that an earlier one wrote is known by what is on the disk alone. */
    int life() {
        return life;
    }

    /** A producer was refused a batch that is in the log's past. */
    void onForgotten() {
        tally.forgotten++;
    }

    /** Has to be answered before the end, or the process has to die. */
    <T> CompletableFuture<T> expect(CompletableFuture<T> answer) {
        expected.add(answer);
        return answer;
    }

    /** What the group looks like may change from now on. */
    void disturbed(String group) {
        calm.disturbed(group);
    }

    /** An answer of a process that is dead reaches nobody. */
    <T> BiConsumer<T, @Nullable Throwable> whileAlive(BiConsumer<T, @Nullable Throwable> action) {
        int sentTo = life;
        return (answer, error) -> {
            if (sentTo != life || disk.crashed()) {
                return;
            }
            try {
                action.accept(answer, error);
            } catch (AssertionError | RuntimeException e) {
                failure = failure == null ? e : failure;
            }
        };
    }

    // ---- the run

    /** Runs to the end. An AssertionError tells the step and the last events. */
    SimulationTally run() {
        try {
            for (int step = 0; step < STEPS; step++) {
                trace.step(step);
                step();
            }
            trace.step(STEPS);
            settle();
            trace.step(STEPS + 1);
            restart(random.nextBoolean() ? null : fsync ? End.POWER_LOST : End.PROCESS_KILLED);
            settle();
        } catch (AssertionError | IOException | RuntimeException | SimulatedDisk.Crash e) {
            throw new AssertionError("step " + trace.step() + ": " + e + "\n" + trace.lastEvents(), e);
        }
        trace.note("operations " + disk.operations());
        tally.hash = trace.hash();
        return tally;
    }

    private void step() throws IOException {
        plan();
        try {
            act();
            for (int i = random.nextInt(6); i > 0; i--) {
                node.threads.runOne(random);
            }
        } catch (SimulatedDisk.Crash e) {
            // seen by the disk's state
        }
        throwFailure();
        if (disk.crashed()) {
            restart(anyEnd());
            return;
        }
        boolean allOnline = node.allOnline();
        int dice = random.nextInt(100);
        if (dice < 2 || (!allOnline && dice < 20)) {
            restart(random.nextInt(3) == 0 ? null : anyEnd());
        } else if (!allOnline || dice > 70) {
            disk.heal();
        }
    }

    private void throwFailure() {
        if (failure != null) {
            throw new AssertionError(failure.getMessage(), failure);
        }
    }

    private End anyEnd() {
        return random.nextBoolean() ? End.PROCESS_KILLED : End.POWER_LOST;
    }

    private void plan() {
        int dice = random.nextInt(120);
        if (dice < 10) {
            calm.describe(GROUPS);
            int operations = 1 + random.nextInt(60);
            disk.crashAfter(operations);
            note("dies in " + operations);
        } else if (dice < 13) {
            disk.failWith(0.05);
            calm.onTrouble();
            note("disk errors");
        } else if (dice < 16) {
            disk.room(random.nextInt(3_000));
            calm.onTrouble();
            note("disk full");
        }
    }

    private void act() {
        int dice = random.nextInt(100);
        if (dice < 40) {
            for (int i = random.nextInt(4); i >= 0; i--) {
                producers.get(random.nextInt(producers.size())).pump(true);
            }
        } else if (dice < 70) {
            membersAct();
        } else if (dice < 78) {
            membership();
        } else if (dice < 82) {
            consume();
        } else if (dice < 85) {
            changeSettings();
        } else if (dice < 88) {
            fetch(GROUPS.get(random.nextInt(GROUPS.size())));
        } else if (dice < 90) {
            move();
        } else {
            pass();
        }
    }

    private void membersAct() {
        for (GroupMember member : List.copyOf(members)) {
            for (int i = random.nextInt(3); i > 0; i--) {
                member.commit(random.nextInt(CommittedOffsets.PARTITIONS));
            }
            member.poll();
        }
    }

    private void membership() {
        int dice = random.nextInt(10);
        if (dice < 4 && members.size() < 7) {
            join();
        } else if (members.isEmpty()) {
            return;
        } else if (dice < 6) {
            members.remove(random.nextInt(members.size())).leave();
        } else if (dice < 8) {
            GroupMember gone = members.remove(random.nextInt(members.size()));
            gone.disconnected();
            if (gone.instanceId != null) {
                members.add(new GroupMember(gone.group, gone.instanceId, this)); // comes back under its name
            }
        } else {
            members.get(random.nextInt(members.size())).resubscribe();
        }
    }

    private void join() {
        String group = GROUPS.get(random.nextInt(GROUPS.size()));
        if (offsets.isKept(group)) {
            members.add(new GroupMember(group, random.nextInt(3) == 0 ? "i" + ++ids : null, this));
            return;
        }
        long offset = offsets.next();
        expect(node.groups.commit(CLIENT, GroupMember.commitRequest(group, 0, offset)))
                .whenComplete(whileAlive((answer, error) -> {
                    if (error == null && GroupMember.error(answer) == Errors.NONE) {
                        offsets.onCommitted(group, 0, offset);
                    }
                }));
    }

    /** A log goes to another directory, or stays where it is. */
    private void move() {
        TopicPartition partition = new TopicPartition(SimulatedNode.TOPIC, random.nextInt(SimulatedNode.PARTITIONS));
        DataDirectory target = node.logs.directories().get(random.nextInt(SimulationSettings.DIRECTORIES.size()));
        note("moves " + partition + " to " + target.path());
        try {
            node.logs.move(partition, target).whenComplete(whileAlive((log, error) -> {
                note("moved " + partition + " "
                        + (error == null ? log : error.getClass().getSimpleName()));
                tally.moves += error == null ? 1 : 0;
            }));
        } catch (ApiException e) {
            note("not moved " + e.getClass().getSimpleName());
        }
    }

    private void consume() {
        TopicPartition partition = new TopicPartition(SimulatedNode.TOPIC, random.nextInt(SimulatedNode.PARTITIONS));
        try {
            LocalPartition leader = node.leader(partition);
            long back = random.nextInt(20);
            history(partition).readSome(leader, Math.max(0, leader.highWatermark() - back));
        } catch (ApiException | IOException e) {
            note("not consumed " + e.getClass().getSimpleName());
        }
    }

    private void changeSettings() {
        String topic = random.nextBoolean() ? SimulatedNode.TOPIC : SimulatedNode.OFFSETS;
        LogConfig config = settings.topic(topic);
        topics.put(topic, config);
        allowDeletion();
        note("settings " + topic + " " + config);
        node.settingsChanged(topic, Long.toString(++ids));
    }

    private void pass() {
        int dice = random.nextInt(20);
        if (dice == 0) {
            clock.stepWall(random.nextInt(1_200_000) - 600_000);
            return;
        }
        calm.disturbed();
        node.ticker.advance(dice < 3 ? random.nextInt(300_000) : random.nextInt(3_000));
    }

    private void fetch(String group) {
        Map<String, Long> atLeast = offsets.atLeast();
        OffsetFetchRequestGroup all =
                new OffsetFetchRequestGroup().setGroupId(group).setTopics(null);
        expect(node.groups.fetch(CLIENT, all, true)).whenComplete(whileAlive((answer, error) -> {
            if (error == null && answer.errorCode() == 0) {
                tally.fetches++;
                offsets.compare(group, atLeast, answer);
            }
        }));
    }

    // ---- ends and beginnings

    /** @param end null for an orderly one */
    private void restart(@Nullable End end) throws IOException {
        note("ends " + end + " after " + disk.operations());
        boolean lossy = end == End.POWER_LOST && !fsync;
        if (end == null) {
            disk.neverCrash();
            calm.forget();
            closed();
        }
        over(end);
        while (end != null && random.nextInt(4) == 0) {
            startAndDie(end);
        }
        node = new SimulatedNode(world, leaderEpoch);
        calm.onStart();
        tally.restarts++;
        note("begins " + node.logs.logs());
        GROUPS.forEach(this::fetch);
        drain();
        throwFailure();
        checkAll(lossy);
    }

    /** An orderly end; where the disk fails in it the end is another one. */
    private void closed() {
        try {
            node.close();
        } catch (IOException e) {
            note("not closed: " + e.getMessage());
            disk.restart(End.PROCESS_KILLED);
        }
        disk.heal();
    }

    /** Nobody hears of the process again. */
    private void over(@Nullable End end) {
        life++;
        leaderEpoch += random.nextInt(2);
        expected.clear();
        producers.forEach(ProducingClient::disconnected);
        members.forEach(GroupMember::disconnected);
        if (end != null) {
            disk.restart(end);
        }
    }

    private void startAndDie(End end) throws IOException {
        disk.crashAfter(1 + random.nextInt(60));
        try {
            node = new SimulatedNode(world, leaderEpoch);
            drain();
        } catch (SimulatedDisk.Crash e) {
            // seen by the disk's state
        }
        note("died in the beginning " + disk.crashed());
        over(end);
    }

    private void drain() {
        while (node.threads.runOne(random)) {
            tally.tasks++;
        }
    }

    private void checkAll(boolean lossy) throws IOException {
        if (lossy) {
            offsets.lost();
            calm.forget();
            producers.forEach(ProducingClient::beginAnew);
        }
        for (Map.Entry<TopicPartition, PartitionHistory> each : histories.entrySet()) {
            LocalPartition leader = node.leader(each.getKey());
            if (lossy) {
                each.getValue().lostFrom(leader.log().logEndOffset());
            }
            each.getValue().check(leader);
        }
        for (String group : GROUPS) {
            checkGroup(group);
        }
        calm.forget();
        for (int i = 0; i < SimulatedNode.OFFSETS_PARTITIONS; i++) {
            tally.compacted += SimulationTally.gaps(node.leader(new TopicPartition(SimulatedNode.OFFSETS, i)));
        }
    }

    private void checkGroup(String group) {
        long before = tally.fetches;
        fetch(group);
        drain();
        throwFailure();
        if (tally.fetches == before) {
            throw new AssertionError("The offsets of " + group + " are not answered after a start");
        }
        DescribedGroup was = calm.was(group);
        if (was != null) {
            CompletableFuture<List<DescribedGroup>> now = node.groups.describe(CLIENT, List.of(group));
            drain();
            tally.groupsCompared++;
            if (!was.equals(now.join().get(0))) {
                throw new AssertionError(group + " was " + was + "\nand is " + now.join());
            }
        }
    }

    // ---- peace

    /** Nothing fails any more: everything is answered, groups come to rest with everybody in them, producers go on. */
    private void settle() throws IOException {
        disk.heal();
        disk.neverCrash();
        if (!node.allOnline()) {
            restart(End.PROCESS_KILLED);
        }
        calm.forget();
        int quiet = 0;
        for (int round = 0; round < SETTLING_ROUNDS && quiet < 20; round++) {
            producers.forEach(producer -> producer.pump(false));
            members.forEach(GroupMember::poll);
            node.ticker.advance(2_000);
            drain();
            throwFailure();
            boolean still = producers.stream().allMatch(ProducingClient::idle)
                    && members.stream().allMatch(GroupMember::isStable);
            quiet = still ? quiet + 1 : 0;
        }
        producers.forEach(producer -> producer.pump(true));
        checkAtRest();
        checkAll(false);
    }

    private void checkAtRest() {
        for (String group : GROUPS) {
            Set<Integer> owned = new HashSet<>();
            boolean anybody = false;
            for (GroupMember member : members) {
                if (member.group.equals(group)) {
                    anybody = true;
                    require(member.isStable(), "a member of " + group + " does not come to rest");
                    member.owned().forEach(one -> require(owned.add(one), "two owners of " + one + " of " + group));
                }
            }
            require(!anybody || owned.size() == CommittedOffsets.PARTITIONS, "unowned partitions of " + group);
        }
        for (int round = 0; round < 30; round++) {
            producers.forEach(producer -> producer.pump(false));
            node.ticker.advance(2_000);
            drain();
            members.forEach(GroupMember::poll);
        }
        drain();
        throwFailure();
        require(producers.stream().allMatch(ProducingClient::idle), "a producer cannot go on");
        for (CompletableFuture<?> answer : expected) {
            require(answer.isDone(), "a request is never answered");
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
