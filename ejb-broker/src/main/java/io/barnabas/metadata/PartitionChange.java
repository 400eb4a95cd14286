package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.jspecify.annotations.Nullable;

/**
 * The one rule of every change of a partition: told what is wanted of in-sync replicas, replicas or directories, it elects the leader
 * that follows, keeps the eligible leader replicas (KIP-966), ends a move whose new replicas are in sync (KIP-455), and makes one
 * record, or none if nothing changes. Whoever changes a partition, be it a broker's end, its return, its leader's request or an
 * operator, does it through here, so that none of them can leave a leader that lacks acknowledged records.
 *
 * <p>What it keeps: a leader is one of the in-sync replicas or, when there is none of those, of the eligible ones, and may lead now;
 * any other is an unclean election, which must have been allowed. Leaving the in-sync replicas while fewer than
 * {@code min.insync.replicas} stay makes a replica eligible: the high watermark does not move below that number, so it has all that was
 * acknowledged. Without that feature the last in-sync replica stays one.
 *
 * <p>Made by {@link PartitionRules} for one change; pure; for one thread.
 */
final class PartitionChange {
    static final int NO_LEADER = -1;

    private final Uuid topicId;
    private final PartitionImage before;
    private final Terms terms;
    private final Map<Integer, Uuid> directories = new HashMap<>();
    private final Set<Integer> unclean = new LinkedHashSet<>();
    private final Set<Integer> emptied = new LinkedHashSet<>();
    private List<Integer> replicas;
    private List<Integer> adding;
    private List<Integer> removing;
    private List<Integer> isr;
    private List<Integer> elr;
    private boolean preferredFirst;
    private boolean mayBeUnclean;
    private boolean newEpoch;
    private boolean recovering;

    /**
     * What a change must know of the cluster.
     *
     * @param mayLead whether a broker may be in sync and lead: in service, and its replica's directory too
     * @param minInSync the topic's {@code min.insync.replicas}
     * @param keepsEligible whether the feature of eligible leader replicas is on
     * @param directoryOf where a new replica on a broker goes
     */
    record Terms(IntPredicate mayLead, int minInSync, boolean keepsEligible, IntFunction<Uuid> directoryOf) {}

    PartitionChange(Uuid topicId, PartitionImage before, Terms terms) {
        this.topicId = topicId;
        this.before = before;
        this.terms = terms;
        this.replicas = before.replicas();
        this.adding = before.addingReplicas();
        this.removing = before.removingReplicas();
        this.isr = before.isr();
        this.elr = before.elr();
        this.recovering = before.recovering();
    }

    /** These are to be in sync. */
    PartitionChange toIsr(List<Integer> inSync) {
        isr = List.copyOf(inSync);
        return this;
    }

    /** A broker leaves the in-sync replicas; it has all that is acknowledged so far. */
    PartitionChange without(int broker) {
        isr = minus(isr, List.of(broker));
        return this;
    }

    /** A broker may have lost records: it is neither in sync nor eligible any more. */
    PartitionChange withoutUnclean(int broker) {
        unclean.add(broker);
        elr = minus(elr, List.of(broker));
        return without(broker);
    }

    /**
     * The disk with a broker's replica is lost, with all records. Its having led last says nothing any more, unless there is no other
     * replica anyway.
     */
    PartitionChange withoutDisk(int broker) {
        if (replicas.size() > 1) {
            emptied.add(broker);
        }
        return this;
    }

    /** These are to hold the partition, the preferred leader first; a move under way has to add and to remove some. */
    PartitionChange toReplicas(List<Integer> holders, List<Integer> toAdd, List<Integer> toRemove) {
        replicas = List.copyOf(holders);
        adding = List.copyOf(toAdd);
        removing = List.copyOf(toRemove);
        isr = isr.stream().filter(holders::contains).toList();
        return this;
    }

    /** Where a broker's replica is. */
    PartitionChange toDirectory(int broker, Uuid directory) {
        directories.put(broker, directory);
        return this;
    }

    /** The preferred leader is to lead if it can. */
    PartitionChange preferringFirst() {
        preferredFirst = true;
        return this;
    }

    /** Any replica may lead rather than none, at the price of records. */
    PartitionChange uncleanIf(boolean allowed) {
        mayBeUnclean |= allowed;
        return this;
    }

    boolean mayBeUnclean() {
        return mayBeUnclean;
    }

    /** A new leader epoch begins even if the leader stays: the end of its log may have gone back (KIP-320). */
    PartitionChange withNewEpoch() {
        newEpoch = true;
        return this;
    }

    /** The leader tells how it is after an unclean election (KIP-704). */
    PartitionChange recovering(boolean still) {
        recovering = still;
        return this;
    }

    /** The record that makes the change, or nothing if there is none. */
    Optional<PartitionChangeRecord> decide() {
        endMove();
        gatherEligible();
        Election election = elect();
        settle(election);
        PartitionChangeRecord record =
                new PartitionChangeRecord().setTopicId(topicId).setPartitionId(before.partition());
        boolean changed = setLeader(record, election.leader());
        changed |= setReplicas(record);
        if (!isr.equals(before.isr()) && (!isr.isEmpty() || terms.keepsEligible())) {
            record.setIsr(isr);
            changed = true;
        }
        if (!elr.equals(before.elr())) {
            record.setEligibleLeaderReplicas(elr);
            changed = true;
        }
        if (recovering != before.recovering()) {
            record.setLeaderRecoveryState(recovering ? PartitionReplay.RECOVERING : PartitionReplay.RECOVERED);
            changed = true;
        }
        return changed ? Optional.of(record) : Optional.empty();
    }

    /** A move ends when all that are added are in sync, and none would be lost that a smaller number of replicas needs. */
    private void endMove() {
        if (adding.isEmpty() && removing.isEmpty()) {
            return;
        }
        List<Integer> staying = minus(replicas, removing);
        List<Integer> inSync = minus(isr, removing);
        boolean inSyncEnough = adding.size() < removing.size() ? inSync.containsAll(staying) : !inSync.isEmpty();
        if (staying.isEmpty() || inSync.isEmpty() || !inSync.containsAll(adding) || !inSyncEnough) {
            return;
        }
        replicas = staying;
        isr = inSync;
        adding = List.of();
        removing = List.of();
    }

    private void gatherEligible() {
        if (!terms.keepsEligible() || isr.size() >= minInSync()) {
            elr = List.of();
            return;
        }
        Set<Integer> eligible = new LinkedHashSet<>(elr);
        eligible.addAll(before.isr());
        eligible.removeAll(isr);
        eligible.removeAll(unclean);
        eligible.retainAll(replicas);
        elr = eligible.stream().sorted().toList();
    }

    private int minInSync() {
        return Math.min(terms.minInSync(), replicas.size());
    }

    /** Who leads, and whether it may lack records. */
    private record Election(int leader, boolean isUnclean) {}

    private Election elect() {
        if (preferredFirst && !replicas.isEmpty() && isGood(replicas.get(0))) {
            return new Election(replicas.get(0), false);
        }
        if (isGood(before.leader())) {
            return new Election(before.leader(), false);
        }
        Optional<Election> clean =
                replicas.stream().filter(this::isGood).findFirst().map(id -> new Election(id, false));
        return clean.or(this::lastKnown).or(this::anyLeader).orElse(new Election(NO_LEADER, false));
    }

    private boolean isGood(int broker) {
        return (isr.contains(broker) || (isr.isEmpty() && elr.contains(broker)))
                && terms.mayLead().test(broker);
    }

    /** When all were lost unclean, the one that led last: no other can have more. */
    private Optional<Election> lastKnown() {
        if (!terms.keepsEligible()
                || !isr.isEmpty()
                || !elr.isEmpty()
                || before.lastKnownElr().size() != 1) {
            return Optional.empty();
        }
        int last = before.lastKnownElr().get(0);
        return replicas.contains(last)
                        && !emptied.contains(last)
                        && terms.mayLead().test(last)
                ? Optional.of(new Election(last, true))
                : Optional.empty();
    }

    private Optional<Election> anyLeader() {
        return mayBeUnclean
                ? replicas.stream()
                        .filter(id -> terms.mayLead().test(id))
                        .findFirst()
                        .map(id -> new Election(id, true))
                : Optional.empty();
    }

    /** The leader is in sync, and nobody is eligible beside enough that are. */
    private void settle(Election election) {
        if (election.leader() == NO_LEADER) {
            return;
        }
        if (election.isUnclean()) {
            recovering = true;
            isr = List.of(election.leader());
            elr = List.of();
        } else if (!isr.contains(election.leader())) {
            isr = List.of(election.leader());
            elr = minus(elr, isr);
        }
        if (isr.size() >= minInSync()) {
            elr = List.of();
        }
    }

    private boolean setLeader(PartitionChangeRecord record, int leader) {
        boolean replicaGone = !replicas.containsAll(before.replicas());
        boolean changes = leader != before.leader();
        if (changes || replicaGone || newEpoch) {
            record.setLeader(leader);
        }
        return setLastKnown(record, leader) || changes || replicaGone || newEpoch;
    }

    /** Who led last is remembered while nobody leads, if it still has its disk. */
    private boolean setLastKnown(PartitionChangeRecord record, int leader) {
        List<Integer> known = before.lastKnownElr();
        if (leader == NO_LEADER && leader != before.leader() && known.isEmpty() && terms.keepsEligible()) {
            known = List.of(before.leader());
        }
        known = leader == NO_LEADER ? minus(known, List.copyOf(emptied)) : List.of();
        if (known.equals(before.lastKnownElr())) {
            return false;
        }
        record.setLastKnownElr(known);
        return true;
    }

    private boolean setReplicas(PartitionChangeRecord record) {
        boolean changed = false;
        if (!replicas.equals(before.replicas())) {
            record.setReplicas(replicas);
            changed = true;
        }
        if (!adding.equals(before.addingReplicas())) {
            record.setAddingReplicas(adding);
            changed = true;
        }
        if (!removing.equals(before.removingReplicas())) {
            record.setRemovingReplicas(removing);
            changed = true;
        }
        List<Uuid> places = replicas.stream().map(this::directory).toList();
        if (!places.equals(before.directories())) {
            record.setDirectories(places);
            changed = true;
        }
        return changed;
    }

    private Uuid directory(int broker) {
        @Nullable Uuid stated = directories.get(broker);
        if (stated != null) {
            return stated;
        }
        int at = before.replicas().indexOf(broker);
        return at >= 0 && at < before.directories().size()
                ? Objects.requireNonNull(before.directories().get(at))
                : terms.directoryOf().apply(broker);
    }

    private static List<Integer> minus(List<Integer> from, List<Integer> what) {
        List<Integer> rest = new ArrayList<>(from);
        rest.removeAll(what);
        return List.copyOf(rest);
    }
}
