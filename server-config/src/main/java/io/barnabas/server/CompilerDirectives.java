package io.barnabas.server;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Keeps the JVM's optimizing compiler off what is busy only while the server starts: the container's deployment, and of the JDK what
 * loads classes, reflects, links and reads jars and properties. That compiler takes two fifths of a start's CPU, and most of it for such
 * code. The quick compiler has it as before, what is inlined into other code is compiled with that, and the broker's own code, its
 * libraries and the rest of the JDK, which the data path needs at its best, are compiled as ever.
 *
 * <p>Asked of the running JVM, because one that is given the same on its command line says so on the terminal. A JVM that does not take
 * it starts a little later. Called by main, first of all.
 */
final class CompilerDirectives {
    private static final Logger LOG = Logger.getLogger(CompilerDirectives.class.getName());
    private static final String FILE = "compiler.json";

    private CompilerDirectives() {}

    /** Adds the directives that lie beside the unpacked archives. */
    static void add(ServerSettings settings) {
        Path file = settings.deploy().resolveSibling(FILE);
        if (!Files.exists(file)) {
            return;
        }
        try {
            ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "compilerDirectivesAdd",
                            new Object[] {new String[] {file.toString()}},
                            new String[] {String[].class.getName()});
        } catch (JMException | RuntimeException e) {
            LOG.log(Level.FINE, "The JVM takes no directives for its compiler", e);
        }
    }
}
