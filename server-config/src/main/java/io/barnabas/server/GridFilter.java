package io.barnabas.server;

import java.io.ObjectInputFilter;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What the data grid may make of bytes that other members send: the few classes by which the container describes itself, failures, and nothing of
 * what a stranger might like. Hazelcast's own filter is of no use for that: the container reads objects in its place, without it. All other
 * reading of objects in this process is as it was. Any thread.
 */
final class GridFilter implements BinaryOperator<ObjectInputFilter> {
    static final ObjectInputFilter OF_THE_GRID =
            ObjectInputFilter.Config.createFilter("maxdepth=16;maxrefs=10000;maxarray=10000;maxbytes=1048576;"
                    + "java.lang.*;java.util.*;java.util.concurrent.*;java.io.IOException;java.io.EOFException;java.net.InetAddress;java.net.Inet4Address;java.net.Inet6Address;"
                    + "fish.payara.micro.data.*;fish.payara.appserver.micro.services.data.*;fish.payara.appserver.micro.services.PayaraInternalEvent*;"
                    + "com.hazelcast.core.*;com.hazelcast.spi.exception.*;com.hazelcast.nio.serialization.HazelcastSerializationException;"
                    + "fish.payara.nucleus.eventbus.ClusterMessage;!*");

    private GridFilter() {}

    /** For all streams from now on. @throws IllegalStateException if the first has been opened already */
    static void install() {
        ObjectInputFilter.Config.setSerialFilterFactory(new GridFilter());
    }

    /** Asked for each stream, when it is opened and when it is given a filter. */
    @Override
    public @Nullable ObjectInputFilter apply(@Nullable ObjectInputFilter current, @Nullable ObjectInputFilter next) {
        if (current == null && isOfTheGrid()) {
            return next == null ? OF_THE_GRID : ObjectInputFilter.merge(OF_THE_GRID, next);
        }
        return current == null || next == null ? next == null ? current : next : ObjectInputFilter.merge(next, current);
    }

    private static boolean isOfTheGrid() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getClassName().startsWith("com.hazelcast.")));
    }
}
