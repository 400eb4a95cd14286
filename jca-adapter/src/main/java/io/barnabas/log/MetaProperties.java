package io.barnabas.log;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.common.Uuid;

/** {@code meta.properties} of a data directory, version 1 as Kafka's: whose it is (KIP-858). */
record MetaProperties(String clusterId, int nodeId, Uuid directoryId) {
    static final String FILE = "meta.properties";

    /**
     * Reads the file, or formats the directory if it has none.
     *
     * @throws IOException if the directory belongs to another broker or cluster, or the file is damaged
     */
    static MetaProperties readOrFormat(FileStore files, Path directory, LogManagerSettings settings)
            throws IOException {
        Path file = directory.resolve(FILE);
        if (!files.exists(file)) {
            MetaProperties fresh = new MetaProperties(settings.clusterId(), settings.brokerId(), Uuid.randomUuid());
            files.replace(file, fresh.encode());
            return fresh;
        }
        Properties properties = new Properties();
        properties.load(new StringReader(new String(files.readAll(file), StandardCharsets.UTF_8)));
        String cluster = required(properties, "cluster.id", file);
        String node = required(properties, "node.id", file);
        if (!cluster.equals(settings.clusterId())) {
            throw new ForeignDirectoryException("The data directory " + directory + " belongs to cluster " + cluster
                    + ", this broker to cluster " + settings.clusterId());
        }
        if (!node.equals(Integer.toString(settings.brokerId()))) {
            throw new ForeignDirectoryException("The data directory " + directory + " belongs to node.id " + node
                    + ", this broker has node.id " + settings.brokerId());
        }
        String id = properties.getProperty("directory.id");
        if (id == null) {
            MetaProperties completed = new MetaProperties(cluster, settings.brokerId(), Uuid.randomUuid());
            files.replace(file, completed.encode());
            return completed;
        }
        return new MetaProperties(cluster, settings.brokerId(), Uuid.fromString(id));
    }

    private static String required(Properties properties, String key, Path file) throws IOException {
        String value = properties.getProperty(key);
        if (value == null) {
            throw new IOException(file + " has no " + key);
        }
        return value;
    }

    private String encode() {
        return "#\nversion=1\ncluster.id=" + clusterId + "\nnode.id=" + nodeId + "\ndirectory.id=" + directoryId + "\n";
    }
}
