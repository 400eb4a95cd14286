package io.barnabas.wire;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Bodies of any API and version, filled at random from the version's schema. */
public final class RandomMessages {
    private final Random random;
    private final List<String> words;

    public RandomMessages(long seed) {
        this(seed, List.of());
    }

    /** Messages that speak of these names now and then, and of small numbers, so that what they name is there. */
    public RandomMessages(long seed, List<String> words) {
        this.random = new Random(seed);
        this.words = words;
    }

    /** The bytes of a message of this schema. */
    public ByteBuffer bytes(Schema schema) {
        Struct struct = (Struct) value(schema, 0);
        ByteBuffer buffer = ByteBuffer.allocate(schema.sizeOf(struct));
        schema.write(buffer, struct);
        return buffer.flip();
    }

    private Object value(Type type, int depth) {
        if (type instanceof Schema schema) {
            return struct(schema, depth);
        }
        if (type.isArray()) {
            return array(type, depth);
        }
        if (type instanceof TaggedFields) {
            return new java.util.TreeMap<Integer, Object>();
        }
        if (type.isNullable() && random.nextInt(4) == 0) {
            return null;
        }
        return leaf(type);
    }

    private Struct struct(Schema schema, int depth) {
        Struct struct = new Struct(schema);
        for (BoundField field : schema.fields()) {
            struct.set(field, value(field.def.type, depth + 1));
        }
        return struct;
    }

    private Object array(Type type, int depth) {
        Type element = type.arrayElementType().orElseThrow();
        Object[] elements = new Object[depth > 5 ? 0 : random.nextInt(3)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = value(element, depth + 1);
        }
        return elements;
    }

    private boolean aboutKnown() {
        return !words.isEmpty() && random.nextBoolean();
    }

    private Object leaf(Type type) {
        String name = type.toString();
        if (name.endsWith("RECORDS")) {
            return MemoryRecords.EMPTY;
        }
        if (name.endsWith("BYTES")) {
            return ByteBuffer.wrap(new byte[random.nextInt(20)]);
        }
        if (name.endsWith("STRING")) {
            return aboutKnown() ? words.get(random.nextInt(words.size())) : Integer.toString(random.nextInt(), 36);
        }
        return switch (name) {
            case "BOOLEAN" -> random.nextBoolean();
            case "INT8" -> (byte) random.nextInt(3);
            case "INT16" -> (short) random.nextInt(100);
            case "UINT16" -> random.nextInt(0x10000);
            case "INT32" -> aboutKnown() ? random.nextInt(4) - 1 : random.nextInt();
            case "UINT32" -> random.nextLong(1L << 32);
            case "INT64" -> aboutKnown() ? random.nextInt(4) - 1L : random.nextLong();
            case "FLOAT64" -> random.nextDouble();
            case "UUID" -> new org.apache.kafka.common.Uuid(random.nextLong(), random.nextLong());
            default -> throw new IllegalArgumentException("no values of type " + name);
        };
    }
}
