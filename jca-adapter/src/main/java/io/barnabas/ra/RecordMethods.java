package io.barnabas.ra;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.runtime.ObjectMethods;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the JDK forget our records. It composes {@code equals}, {@code hashCode} and {@code toString} of records from method handles of
 * its own, and on JDK 17 each of them keeps the last type it was adapted to: a class of ours, and with it our class loader, until
 * somebody else's record comes. Called last of all, by the container's thread that stops the resource adapter.
 */
final class RecordMethods {
    private static final Logger LOG = LoggerFactory.getLogger(RecordMethods.class);

    private RecordMethods() {}

    /** Composes the methods for a class of the JDK; nobody uses them. */
    static void forgetOurs() {
        try {
            Lookup lookup = MethodHandles.publicLookup();
            MethodHandle getter = lookup.findVirtual(String.class, "strip", MethodType.methodType(String.class));
            for (String method : List.of("equals", "hashCode", "toString")) {
                ObjectMethods.bootstrap(lookup, method, MethodHandle.class, String.class, "value", getter);
            }
        } catch (Throwable e) { // a JDK that composes them otherwise
            LOG.debug("the methods of records were not composed", e);
        }
    }
}
