package io.barnabas.metadata;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's directory for metadata: whose it is, that nobody else uses it, and whether its journal has ever been in use.
 *
 * <pre>
 * .lock            held while the node runs
 * meta.properties  cluster.id, node.id, directory.id; formatted=true once the journal is in use for good; voters if there are several;
 *                  incarnation after a recovery by force
 * raft/            the journal and its snapshots; raft.INCARNATION after a recovery by force
 * entities/        the database of the entities
 * reserve          room for the journal when the disk is full ({@link JournalReserve})
 * </pre>
 *
 * <p>A directory that has been formatted and has lost its journal is refused: a node that forgot what it promised must not take part
 * as if it had not. One of a lone voter that never got so far begins anew, its remains set aside. For one thread, but for {@link #setFormatted}.
 *
 * <p>One of several voters has no cluster id before {@link VoterAgreement} has found the others, and keeps any journal, since the
 * others may rely on it from its first entry on.
 */
final class MetadataDirectory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MetadataDirectory.class);
    static final String FILE = "meta.properties";
    private static final String CLUSTER_ID = "cluster.id";
    private static final String FORMATTED = "formatted";
    private static final String VOTERS = "voters";
    private static final String INCARNATION = "incarnation";

    private final Path directory;
    private final Closeable lock;
    private final Properties properties;

    private MetadataDirectory(Path directory, Closeable lock, Properties properties) {
        this.directory = directory;
        this.lock = lock;
        this.properties = properties;
    }

    /**
     * Takes the directory, and makes it if it is not there.
     *
     * @throws IOException if it is in use, of another node or cluster, without the journal it should have, or cannot be read or written
     */
    static MetadataDirectory open(Path directory, int nodeId, @Nullable String clusterId, Supplier<Uuid> ids)
            throws IOException {
        MetadataDirectory opened = open(directory, nodeId, ids);
        try {
            opened.beginAlone(clusterId, ids);
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private void beginAlone(@Nullable String clusterId, Supplier<Uuid> ids) throws IOException {
        if (properties.getProperty(VOTERS) != null) {
            throw new IOException("The metadata directory " + directory + " belongs to a quorum of the voters "
                    + properties.getProperty(VOTERS) + ": name them in controller.quorum.voters");
        }
        if (properties.getProperty(CLUSTER_ID) == null) {
            if (isFormatted()) {
                throw new IOException(directory.resolve(FILE) + " names no cluster.id: it is damaged");
            }
            properties.setProperty(CLUSTER_ID, clusterId == null ? ids.get().toString() : clusterId);
            write();
        }
        check(CLUSTER_ID, clusterId);
        checkJournal();
    }

    /**
     * Takes the directory of one of several voters, and makes it if it is not there.
     *
     * @param voters the nodes that vote
     * @throws IOException as {@link #open(Path, int, String, Supplier)}, also if it is of other voters
     */
    static MetadataDirectory openVoter(Path directory, int nodeId, List<Integer> voters, Supplier<Uuid> ids)
            throws IOException {
        MetadataDirectory opened = open(directory, nodeId, ids);
        try {
            opened.checkVoters(voters);
            return opened;
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private void checkVoters(List<Integer> voters) throws IOException {
        VoterSet known = voters();
        if (known == null) {
            if (properties.getProperty(CLUSTER_ID) != null) {
                throw new IOException(
                        "The metadata directory " + directory + " belongs to a node that is alone, of cluster "
                                + properties.getProperty(CLUSTER_ID) + ": it cannot become one of several voters. "
                                + "Leave controller.quorum.voters empty, or begin with other directories");
            }
            return;
        }
        if (!Set.copyOf(known.nodeIds()).equals(Set.copyOf(voters))) {
            throw new IOException("The metadata directory " + directory + " belongs to a quorum of the nodes "
                    + known.nodeIds() + ", and controller.quorum.voters names " + voters);
        }
        if (isFormatted() && isEmpty(journal())) {
            throw journalGone("start with an empty directory instead, and have this node made a voter again");
        }
    }

    private static MetadataDirectory open(Path directory, int nodeId, Supplier<Uuid> ids) throws IOException {
        Files.createDirectories(directory);
        Closeable lock = lock(directory);
        try {
            Properties properties = read(directory);
            MetadataDirectory opened = new MetadataDirectory(directory, lock, properties);
            if (properties.isEmpty()) {
                properties.setProperty("version", "1");
                properties.setProperty("node.id", Integer.toString(nodeId));
                properties.setProperty("directory.id", ids.get().toString());
                opened.write();
            }
            opened.check("node.id", Integer.toString(nodeId));
            return opened;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static Closeable lock(Path directory) throws IOException {
        Closeable lock = DurableFile.lock(directory.resolve(".lock"));
        if (lock == null) {
            throw new IOException("The metadata directory " + directory + " is in use by another broker");
        }
        return lock;
    }

    private static Properties read(Path directory) throws IOException {
        Properties properties = new Properties();
        Path file = directory.resolve(FILE);
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                properties.load(in);
            } catch (IllegalArgumentException e) {
                throw new IOException(file + " cannot be read: " + e.getMessage(), e);
            }
            if (properties.getProperty("directory.id") == null || properties.getProperty("node.id") == null) {
                throw new IOException(file + " names no directory.id and node.id: it is damaged");
            }
        }
        return properties;
    }

    private void check(String key, @Nullable String wanted) throws IOException {
        String found = properties.getProperty(key);
        if (wanted != null && !wanted.equals(found)) {
            throw new IOException("The metadata directory " + directory + " belongs to " + key + " " + found
                    + ", this broker is " + key + " " + wanted);
        }
    }

    private void checkJournal() throws IOException {
        boolean empty = isEmpty(journal());
        if (isFormatted()) {
            if (empty) {
                throw journalGone("to begin a new cluster, move away " + directory + " and the topics' directories");
            }
        } else if (!empty) {
            Path aside = journal().resolveSibling("raft.unfinished." + properties.getProperty("directory.id"));
            LOG.warn("A journal that was never completed is set aside: from={} to={}", journal(), aside);
            Files.move(journal(), aside, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private IOException journalGone(String otherwise) {
        return new IOException(
                "The metadata journal in " + journal() + " is gone. Restore it from a copy; " + otherwise);
    }

    private static boolean isEmpty(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return true;
        }
        try (var children = Files.list(folder)) {
            return children.findAny().isEmpty();
        }
    }

    private void write() throws IOException {
        DurableFile.write(directory.resolve(FILE), out -> properties.store(out, null));
    }

    /** The voters that this node's cluster began with; null before it found them. */
    @Nullable
    VoterSet voters() throws IOException {
        String text = properties.getProperty(VOTERS);
        try {
            return text == null ? null : VoterSet.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IOException(directory.resolve(FILE) + " names voters that cannot be read: " + text, e);
        }
    }

    /** Remembers the voters and the cluster that this node found: from now on it belongs to them, with a vote or without. */
    void setVoters(VoterSet voters, String clusterId, Incarnation incarnation) throws IOException {
        properties.setProperty(VOTERS, voters.toString());
        properties.setProperty(INCARNATION, incarnation.toString());
        properties.setProperty(CLUSTER_ID, clusterId);
        write();
    }

    /** Of the quorum that this node belongs to. */
    Incarnation incarnation() throws IOException {
        String text = properties.getProperty(INCARNATION, "");
        try {
            return Incarnation.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IOException(directory.resolve(FILE) + " names an incarnation that cannot be read: " + text, e);
        }
    }

    /**
     * From now on this node belongs to another incarnation of the quorum, with a journal of its own; the former one's stays where it is.
     *
     * @param formatted whether that journal is there already
     */
    void setIncarnation(Incarnation incarnation, boolean formatted) throws IOException {
        properties.setProperty(INCARNATION, incarnation.toString());
        properties.setProperty(FORMATTED, Boolean.toString(formatted));
        write();
    }

    Uuid directoryId() {
        return Uuid.fromString(properties.getProperty("directory.id"));
    }

    boolean isFormatted() {
        return Boolean.parseBoolean(properties.getProperty(FORMATTED));
    }

    /** Remembers that the journal is in use: it is never begun anew from now on. */
    void setFormatted() throws IOException {
        if (!isFormatted()) {
            properties.setProperty(FORMATTED, "true");
            write();
        }
    }

    String clusterId() {
        return properties.getProperty(CLUSTER_ID);
    }

    Path journal() {
        return journal(properties.getProperty(INCARNATION, ""));
    }

    /** Where the journal of an incarnation is, as text. */
    Path journal(String incarnation) {
        return directory.resolve(incarnation.isEmpty() ? "raft" : "raft." + incarnation);
    }

    Path entities() {
        return directory.resolve("entities");
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
