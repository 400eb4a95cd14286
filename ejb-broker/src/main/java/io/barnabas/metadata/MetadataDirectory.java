package io.barnabas.metadata;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;
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
 * meta.properties  cluster.id, node.id, directory.id; formatted=true once the cluster's first records were committed
 * raft/            the journal and its snapshots
 * entities/        the database of the entities
 * </pre>
 *
 * <p>A directory that has been formatted and has lost its journal is refused: a node that forgot what it promised must not take part
 * as if it had not. One that never got so far begins anew, its remains set aside. For one thread.
 */
final class MetadataDirectory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MetadataDirectory.class);
    private static final String FILE = "meta.properties";

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
        Files.createDirectories(directory);
        Closeable lock = lock(directory);
        try {
            Properties properties = read(directory);
            MetadataDirectory opened = new MetadataDirectory(directory, lock, properties);
            if (properties.isEmpty()) {
                properties.setProperty("version", "1");
                properties.setProperty(
                        "cluster.id", clusterId == null ? ids.get().toString() : clusterId);
                properties.setProperty("node.id", Integer.toString(nodeId));
                properties.setProperty("directory.id", ids.get().toString());
                opened.write();
            }
            opened.check("cluster.id", clusterId);
            opened.check("node.id", Integer.toString(nodeId));
            opened.checkJournal();
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
            if (properties.getProperty("cluster.id") == null || properties.getProperty("node.id") == null) {
                throw new IOException(file + " names no cluster.id and node.id: it is damaged");
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
                throw new IOException("The metadata journal in " + journal() + " is gone. Restore it from a copy; to "
                        + "begin a new cluster, move away " + directory + " and the topics' directories");
            }
        } else if (!empty) {
            Path aside = journal().resolveSibling("raft.unfinished." + properties.getProperty("directory.id"));
            LOG.warn("A journal that was never completed is set aside: from={} to={}", journal(), aside);
            Files.move(journal(), aside, StandardCopyOption.REPLACE_EXISTING);
        }
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

    boolean isFormatted() {
        return Boolean.parseBoolean(properties.getProperty("formatted"));
    }

    /** Remembers that the cluster's first records are committed. */
    void setFormatted() throws IOException {
        if (!isFormatted()) {
            properties.setProperty("formatted", "true");
            write();
        }
    }

    String clusterId() {
        return properties.getProperty("cluster.id");
    }

    Path journal() {
        return directory.resolve("raft");
    }

    Path entities() {
        return directory.resolve("entities");
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
