package io.barnabas.request;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;

/**
 * Finds the error codes in an answer, of whatever API: those of the whole and those of its parts. How a generated message is built is
 * looked up once a class; a list whose elements have no error code is not walked. Meant for the APIs that are asked seldom: produce
 * and fetch count their errors where they arise. Safe from any thread.
 */
final class AnswerErrors {
    private static final MethodType CODE = MethodType.methodType(short.class, Object.class);
    private static final MethodType PARTS = MethodType.methodType(Collection.class, Object.class);

    private final Map<Class<?>, Shape> shapes = new ConcurrentHashMap<>();

    /** Where a message has error codes: its own, and lists of parts that have some. */
    private record Shape(List<MethodHandle> codes, List<MethodHandle> parts) {
        boolean hasNone() {
            return codes.isEmpty() && parts.isEmpty();
        }
    }

    /** Tells of each error in the answer; NONE is none. */
    void forEach(Message answer, Consumer<Errors> told) {
        Shape shape = shape(answer.getClass());
        try {
            for (MethodHandle code : shape.codes) {
                short found = (short) code.invokeExact((Object) answer);
                if (found != Errors.NONE.code()) {
                    told.accept(Errors.forCode(found));
                }
            }
            for (MethodHandle part : shape.parts) {
                Collection<?> parts = (Collection<?>) part.invokeExact((Object) answer);
                if (parts != null) {
                    for (Object each : parts) {
                        forEach((Message) each, told);
                    }
                }
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) { // getters declare none
            throw new IllegalStateException(e);
        }
    }

    private Shape shape(Class<?> message) {
        Shape known = shapes.get(message);
        if (known == null) {
            known = look(message);
            shapes.put(message, known);
        }
        return known;
    }

    private Shape look(Class<?> message) {
        List<MethodHandle> codes = new ArrayList<>();
        List<MethodHandle> parts = new ArrayList<>();
        for (Method getter : message.getMethods()) {
            if (getter.getParameterCount() > 0) {
                continue;
            }
            if (getter.getReturnType() == short.class
                    && (getter.getName().equals("errorCode") || getter.getName().endsWith("ErrorCode"))) {
                codes.add(handle(getter, CODE));
            } else if (Collection.class.isAssignableFrom(getter.getReturnType()) && hasErrors(element(getter))) {
                parts.add(handle(getter, PARTS));
            }
        }
        return new Shape(List.copyOf(codes), List.copyOf(parts));
    }

    private boolean hasErrors(Class<?> element) {
        return Message.class.isAssignableFrom(element) && !shape(element).hasNone();
    }

    /** What a list or one of Kafka's hashed collections holds. */
    private static Class<?> element(Method getter) {
        Type type = getter.getGenericReturnType();
        if (type instanceof Class<?> collection) {
            type = collection.getGenericSuperclass();
        }
        return type instanceof ParameterizedType of && of.getActualTypeArguments()[0] instanceof Class<?> element
                ? element
                : Object.class;
    }

    private static MethodHandle handle(Method getter, MethodType type) {
        try {
            return MethodHandles.publicLookup().unreflect(getter).asType(type);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
