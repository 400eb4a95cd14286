package io.barnabas.metadata.jpa;

import com.fasterxml.jackson.databind.type.TypeFactory;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Persistence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.h2.jdbcx.JdbcConnectionPool;
import org.h2.jdbcx.JdbcDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database of the entities: an H2 file, its schema made by Flyway, an EntityManagerFactory of EclipseLink. H2 may lose what it was
 * told last when the process is killed, and that is well: whoever writes here checks the position and can write everything anew.
 *
 * <p>Made by {@link MetadataEntities}, on its thread. {@link #read} may be called by any.
 */
final class EntityDatabase implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EntityDatabase.class);
    private static final String UNIT = "barnabas-metadata";
    private static final int CONNECTIONS_MAX = 8;

    private final JdbcConnectionPool connections;
    private final EntityManagerFactory factory;

    private EntityDatabase(JdbcConnectionPool connections, EntityManagerFactory factory) {
        this.connections = connections;
        this.factory = factory;
    }

    /**
     * Opens the database in {@code directory}, or makes it.
     *
     * @throws RuntimeException of H2, Flyway or EclipseLink if its files cannot be used
     * @throws IOException if the directory cannot be made
     */
    static EntityDatabase open(Path directory) throws IOException {
        Files.createDirectories(directory);
        DatabaseClasses.initialize();
        JdbcDataSource source = new JdbcDataSource();
        source.setURL("jdbc:h2:file:" + directory.toAbsolutePath().toString().replace(";", "\\;")
                + "/metadata;DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=-1;TRACE_LEVEL_FILE=0");
        JdbcConnectionPool connections = JdbcConnectionPool.create(source);
        connections.setMaxConnections(CONNECTIONS_MAX);
        ClassLoader loader = EntityDatabase.class.getClassLoader();
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            migrate(connections, loader);
            EntityManagerFactory factory = Persistence.createEntityManagerFactory(
                    UNIT,
                    Map.of("jakarta.persistence.nonJtaDataSource", connections, "eclipselink.classloader", loader));
            return new EntityDatabase(connections, factory);
        } catch (RuntimeException e) {
            shutDown(connections);
            throw e;
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static void migrate(DataSource connections, ClassLoader loader) {
        Flyway.configure(loader)
                .dataSource(connections)
                .locations("classpath:db/metadata")
                .load()
                .migrate();
        // Flyway reads its settings by Jackson, which is the server's and keeps the classes it has seen: ours,
        // undeployed or not.
        TypeFactory.defaultInstance().clearCache();
    }

    /** Removes the files of a database that is not open. */
    static void delete(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> all = files.filter(Files::isRegularFile).toList();
            for (Path file : all) {
                Files.delete(file);
            }
        }
    }

    /** Runs {@code work} with an entity manager, in no transaction. */
    <T> T read(Function<EntityManager, T> work) {
        EntityManager entities = factory.createEntityManager();
        try {
            return work.apply(entities);
        } finally {
            entities.close();
        }
    }

    /** Runs {@code work} in one transaction. */
    void write(Consumer<EntityManager> work) {
        EntityManager entities = factory.createEntityManager();
        try {
            entities.getTransaction().begin();
            work.accept(entities);
            entities.getTransaction().commit();
        } finally {
            if (entities.getTransaction().isActive()) {
                entities.getTransaction().rollback();
            }
            entities.close();
        }
    }

    @Override
    public void close() {
        try {
            factory.close();
        } catch (RuntimeException e) {
            LOG.warn("The entities' factory did not close cleanly", e);
        }
        shutDown(connections);
    }

    private static void shutDown(JdbcConnectionPool connections) {
        try (Connection connection = connections.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SHUTDOWN");
        } catch (SQLException e) {
            LOG.debug("The entities' database was not shut down", e);
        }
        connections.dispose();
    }
}
