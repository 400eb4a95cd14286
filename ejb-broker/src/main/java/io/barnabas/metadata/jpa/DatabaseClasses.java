package io.barnabas.metadata.jpa;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import org.h2.util.JdbcUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first use of the database's classes. They are the server's and stay when the application goes, and some keep for ever what they
 * were initialised with: exceptions the classes on the stack, a thread for the end of the JVM the loaders of its maker. That must not
 * be this application, whose class loader would stay with them.
 *
 * <p>Comes before {@link EntityDatabase} opens a file, on its thread.
 */
final class DatabaseClasses {
    private static final Logger LOG = LoggerFactory.getLogger(DatabaseClasses.class);

    private static final List<String> REMEMBERING =
            List.of("org.h2.message.DbException", "org.h2.message.TraceObject", "org.h2.engine.OnExitDatabaseCloser");

    private DatabaseClasses() {}

    /**
     * Initialises the classes that remember, on a thread that has nothing of ours: a pool's thread inherits nothing from whoever made
     * the pool, and the task is made of the JDK's and the database's own methods, as a lambda would be a class of ours.
     */
    static void initialize() {
        ForkJoinPool elsewhere = new ForkJoinPool(1);
        try {
            MethodHandle load = MethodHandles.publicLookup()
                    .findStatic(JdbcUtils.class, "loadUserClass", MethodType.methodType(Class.class, String.class));
            for (String name : REMEMBERING) {
                elsewhere
                        .submit(task(MethodHandles.insertArguments(load, 0, name)))
                        .join();
            }
        } catch (ReflectiveOperationException | RuntimeException e) { // another release's: nothing but memory is lost
            LOG.debug("The database's classes were not initialised apart", e);
        } finally {
            elsewhere.shutdown();
        }
    }

    /** The interface is made into a class in the context class loader. */
    private static Runnable task(MethodHandle call) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
        try {
            return MethodHandleProxies.asInterfaceInstance(Runnable.class, call);
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}
