package io.barnabas.metadata;

import io.barnabas.config.LiveConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.util.MD5FileUtil;

/**
 * The way on when a majority of the voters is lost for good: makes a stopped node that is left the only voter of a new
 * {@link Incarnation} of the quorum, with the metadata that its own journal leads to. What only the lost voters knew is lost; the operator
 * is told so beforehand ({@link #report}). The cluster's id stays, and all the node's topics and records.
 *
 * <p>The new incarnation leaps: indices, and so broker epochs, leader epochs and producer ids go on well above those that the lost voters
 * may have given out, so that none of theirs is mistaken for one of the new ones. All other brokers are out of the cluster until they
 * register again, so that this one leads what it has in sync (and what it has not stays without a leader until one comes that has).
 *
 * <p>One write of {@code meta.properties} makes the change, when the new journal is whole on the disk; the former journal stays where it
 * is. For one thread; the node must not run.
 */
public final class ForcedRecovery implements AutoCloseable {
    static final long INDEX_LEAP = 1_000_000;
    static final int EPOCH_LEAP = 1_000;
    private static final long PRODUCER_ID_LEAP = 1_000_000;
    private static final int NAMED_MAX = 20;

    private final MetadataNodeSettings settings;
    private final PartitionRules rules;
    private final MetadataDirectory directory;
    private final StoredJournal journal;

    private ForcedRecovery(
            MetadataNodeSettings settings, PartitionRules rules, MetadataDirectory directory, StoredJournal journal) {
        this.settings = settings;
        this.rules = rules;
        this.directory = directory;
        this.journal = journal;
    }

    /**
     * Takes the directory and reads what is there; changes nothing.
     *
     * @throws IOException if the node runs, cannot be recovered, or need not be, with the reason for the operator as its message
     */
    public static ForcedRecovery prepare(MetadataNodeSettings settings, LiveConfig config) throws IOException {
        if (settings.alone()) {
            throw new IOException("Node " + settings.nodeId() + " is alone: there is no majority that could be lost");
        }
        if (config.atStart().isWitness()) {
            throw new IOException("Node " + settings.nodeId()
                    + " only votes and has no records: a cluster can be recovered with a broker only");
        }
        if (!Files.exists(settings.directory().resolve(MetadataDirectory.FILE))) {
            throw new IOException("There is no metadata of a node in " + settings.directory());
        }
        MetadataDirectory directory = MetadataDirectory.openVoter(
                settings.directory(), settings.nodeId(), settings.voterIds(), Uuid::randomUuid);
        try {
            if (directory.voters() == null || !directory.isFormatted()) {
                throw new IOException(
                        "The metadata directory " + settings.directory() + " has never been part of a quorum");
            }
            UUID group = directory.incarnation().group(directory.clusterId());
            StoredJournal journal =
                    StoredJournal.read(directory.journal().resolve(group.toString()), directory.clusterId());
            ForcedRecovery recovery = new ForcedRecovery(settings, new PartitionRules(config), directory, journal);
            recovery.check();
            return recovery;
        } catch (IOException | RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    private void check() throws IOException {
        List<RaftPeerId> voters = journal.voters();
        if (!voters.contains(self())) {
            throw new IOException("Node " + settings.nodeId() + " with directory " + directory.directoryId()
                    + " has no vote by its own journal; recover with a node that has: " + voters);
        }
        if (voters.size() == 1) {
            throw new IOException("Node " + settings.nodeId() + " is the only voter: start it");
        }
        List<RaftPeerId> running = new VoterAgreement(
                        settings.voters(),
                        settings.self().inDirectory(directory.directoryId()),
                        settings.keys(),
                        () -> false)
                .present().stream()
                        .map(other -> peerId(other.nodeId(), other.directoryId()))
                        .filter(voters::contains)
                        .toList();
        if (2 * (running.size() + 1) > voters.size()) {
            throw new IOException("The voters " + running + " run, and are a majority together with node "
                    + settings.nodeId() + ": start it, nothing is lost");
        }
    }

    private RaftPeerId self() {
        return peerId(settings.nodeId(), directory.directoryId());
    }

    private static RaftPeerId peerId(int nodeId, Uuid directoryId) {
        return RatisConfiguration.peerId(new RatisSettings.Voter(nodeId, "", 0, directoryId));
    }

    /** What the operator must know beforehand, in lines. */
    public List<String> report() {
        List<String> lines = new ArrayList<>();
        lines.add("Cluster " + directory.clusterId() + ", node " + settings.nodeId() + ", directory "
                + directory.directoryId());
        lines.add("Its metadata end at index " + journal.index() + " of term " + journal.term()
                + ". If another node is left, recover with the one whose index is highest.");
        if (journal.damaged() != null) {
            lines.add("DAMAGED: the end of " + journal.damaged() + " cannot be read and is left out.");
        }
        lines.add(
                "LOST is every change of topics, settings and groups of brokers that the other voters made after that.");
        lines.add("These voters lose their vote, whether they come back or not: "
                + journal.voters().stream().filter(id -> !id.equals(self())).toList());
        addPartitions(lines);
        lines.add(
                "If one of those voters runs without reaching this node, it goes on as another cluster of the same name: "
                        + "keep them from starting before this node serves.");
        return lines;
    }

    private void addPartitions(List<String> lines) {
        List<String> behind = new ArrayList<>();
        List<String> elsewhere = new ArrayList<>();
        int led = 0;
        for (TopicImage topic : journal.metadata().image().topics()) {
            for (PartitionImage partition : topic.partitions()) {
                String name = topic.name() + "-" + partition.partition();
                if (partition.isr().contains(settings.nodeId())
                        || (partition.isr().isEmpty() && partition.elr().contains(settings.nodeId()))) {
                    led++;
                } else {
                    (partition.replicas().contains(settings.nodeId()) ? behind : elsewhere).add(name);
                }
            }
        }
        lines.add(
                "Partitions that this node has in sync and will lead, with all that was acknowledged as far as it knows: "
                        + led);
        lines.add(
                "Partitions of which it has a replica that is NOT in sync, which have no leader until another replica is "
                        + "back or an unclean election gives up what this one lacks: " + named(behind));
        lines.add("Partitions of which it has NO replica, lost unless their brokers come back with their disks: "
                + named(elsewhere));
    }

    private static String named(List<String> partitions) {
        List<String> first = partitions.stream().sorted().limit(NAMED_MAX).toList();
        return partitions.size()
                + (partitions.isEmpty() ? "" : " " + first)
                + (partitions.size() > first.size() ? " and more" : "");
    }

    /**
     * Does it: the next start of this node is that of the only voter.
     *
     * @param ids makes a random id
     */
    public void carryOut(Supplier<Uuid> ids) throws IOException {
        Incarnation next = directory.incarnation().next(ids.get());
        Path group = directory
                .journal(next.toString())
                .resolve(next.group(directory.clusterId()).toString());
        Path current = Files.createDirectories(group.resolve("current"));
        Path snapshots = Files.createDirectories(group.resolve("sm"));
        long index = journal.index() + INDEX_LEAP;
        Path snapshot = snapshots.resolve("snapshot." + journal.term() + "_" + index);
        MetadataSnapshot content = new MetadataSnapshot(index, directory.clusterId(), leapt(withoutOthers()));
        DurableFile.write(snapshot, content::writeTo);
        MD5FileUtil.computeAndSaveMd5ForFile(snapshot.toFile());
        DurableFile.write(current.resolve("raft-meta.conf"), onlyVoter(index)::writeTo);
        Properties meta = new Properties();
        meta.setProperty("term", Long.toString(journal.term()));
        meta.setProperty("votedFor", "");
        DurableFile.write(current.resolve("raft-meta"), out -> meta.store(out, null));
        for (Path made : List.of(snapshots, group, directory.journal(next.toString()), settings.directory())) {
            DurableFile.force(made);
        }
        directory.setIncarnation(next, true);
    }

    private LogEntryProto onlyVoter(long index) throws IOException {
        RatisSettings.Voter self = settings.voters().stream()
                .filter(voter -> voter.nodeId() == settings.nodeId())
                .findFirst()
                .orElseThrow(() -> new IOException("Node " + settings.nodeId() + " is not named in the voters"))
                .inDirectory(directory.directoryId());
        return LogEntryProto.newBuilder()
                .setTerm(journal.term())
                .setIndex(index)
                .setConfigurationEntry(RaftConfigurationProto.newBuilder()
                        .addPeers(RatisConfiguration.peer(self).getRaftPeerProto()))
                .build();
    }

    /** The metadata when all other brokers have left the cluster. */
    private MetadataImage withoutOthers() {
        ReplayedMetadata metadata = journal.metadata();
        for (BrokerImage broker : List.copyOf(metadata.image().brokers())) {
            if (broker.id() != settings.nodeId()) {
                MetadataImage image = metadata.image();
                List<ApiMessage> records = new ArrayList<>();
                rules.onDeparture(image, broker.id(), records);
                records.add(
                        new UnregisterBrokerRecord().setBrokerId(broker.id()).setBrokerEpoch(broker.epoch()));
                metadata.apply(
                        image.index() + 1, new MetadataEntry(image.index(), records).encode(Integer.MAX_VALUE - 64));
            }
        }
        return metadata.image();
    }

    private static List<ApiMessage> leapt(MetadataImage image) {
        List<ApiMessage> records = ImageRecords.of(image);
        for (ApiMessage record : records) {
            if (record instanceof PartitionRecord partition) {
                partition.setLeaderEpoch(partition.leaderEpoch() + EPOCH_LEAP);
                partition.setPartitionEpoch(partition.partitionEpoch() + EPOCH_LEAP);
            } else if (record instanceof ProducerIdsRecord ids) {
                ids.setNextProducerId(ids.nextProducerId() + PRODUCER_ID_LEAP);
            }
        }
        return records;
    }

    @Override
    public void close() throws IOException {
        directory.close();
    }
}
