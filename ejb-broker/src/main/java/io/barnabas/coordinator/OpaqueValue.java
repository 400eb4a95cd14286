package io.barnabas.coordinator;

import java.util.List;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/** Stands for the value of a record whose type this broker keeps but does not serve. */
public enum OpaqueValue implements ApiMessage {
    INSTANCE;

    @Override
    public short apiKey() {
        return -1;
    }

    @Override
    public short lowestSupportedVersion() {
        return 0;
    }

    @Override
    public short highestSupportedVersion() {
        return 0;
    }

    @Override
    public void addSize(MessageSizeAccumulator size, ObjectSerializationCache cache, short version) {
        throw new IllegalStateException("an opaque value is never written");
    }

    @Override
    public void write(Writable writable, ObjectSerializationCache cache, short version) {
        throw new IllegalStateException("an opaque value is never written");
    }

    @Override
    public void read(Readable readable, short version) {
        throw new IllegalStateException("an opaque value is never read");
    }

    @Override
    public List<RawTaggedField> unknownTaggedFields() {
        return List.of();
    }

    @Override
    public ApiMessage duplicate() {
        return this;
    }
}
