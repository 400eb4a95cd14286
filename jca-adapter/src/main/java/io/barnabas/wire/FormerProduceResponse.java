package io.barnabas.wire;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * The answer to a {@link FormerProduce}: [topic string, [partition int32, error int16, base_offset int64]]; version 1 has
 * throttle_time_ms int32 at its end, version 2 log_append_time int64 after each base offset too. Only written, never read.
 *
 * @param data what is answered; fields that these versions do not have are left out
 */
public record FormerProduceResponse(ProduceResponseData data) implements ApiMessage {
    private static final int FIRST_WITH_THROTTLE_TIME = 1;
    private static final int FIRST_WITH_LOG_APPEND_TIME = 2;

    @Override
    public short apiKey() {
        return ApiKeys.PRODUCE.id;
    }

    @Override
    public short lowestSupportedVersion() {
        return ApiKeys.PRODUCE_API_VERSIONS_RESPONSE_MIN_VERSION;
    }

    @Override
    public short highestSupportedVersion() {
        return (short) (ApiKeys.PRODUCE.oldestVersion() - 1);
    }

    @Override
    public void addSize(MessageSizeAccumulator size, ObjectSerializationCache cache, short version) {
        int partitionBytes = Integer.BYTES + Short.BYTES + Long.BYTES;
        if (version >= FIRST_WITH_LOG_APPEND_TIME) {
            partitionBytes += Long.BYTES;
        }
        size.addBytes(Integer.BYTES);
        for (TopicProduceResponse topic : data.responses()) {
            byte[] name = topic.name().getBytes(StandardCharsets.UTF_8);
            cache.cacheSerializedValue(topic.name(), name);
            size.addBytes(Short.BYTES + name.length + Integer.BYTES);
            size.addBytes(topic.partitionResponses().size() * partitionBytes);
        }
        if (version >= FIRST_WITH_THROTTLE_TIME) {
            size.addBytes(Integer.BYTES);
        }
    }

    @Override
    public void write(Writable to, ObjectSerializationCache cache, short version) {
        to.writeInt(data.responses().size());
        for (TopicProduceResponse topic : data.responses()) {
            byte[] name = cache.getSerializedValue(topic.name());
            to.writeShort((short) name.length);
            to.writeByteArray(name);
            to.writeInt(topic.partitionResponses().size());
            for (PartitionProduceResponse partition : topic.partitionResponses()) {
                to.writeInt(partition.index());
                to.writeShort(partition.errorCode());
                to.writeLong(partition.baseOffset());
                if (version >= FIRST_WITH_LOG_APPEND_TIME) {
                    to.writeLong(partition.logAppendTimeMs());
                }
            }
        }
        if (version >= FIRST_WITH_THROTTLE_TIME) {
            to.writeInt(data.throttleTimeMs());
        }
    }

    @Override
    public void read(Readable from, short version) {
        throw new UnsupportedOperationException("the answer to a former Produce is only written");
    }

    @Override
    public List<RawTaggedField> unknownTaggedFields() {
        return data.unknownTaggedFields();
    }

    @Override
    public Message duplicate() {
        return new FormerProduceResponse(data.duplicate());
    }
}
