package io.barnabas.wire;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Readable;

/**
 * Produce of the versions 0 to 2, which ApiVersions advertises although nobody serves them any more (KAFKA-18659), and which
 * kafka-clients' messages cannot read. A request is read as far as its refusal needs: the records, of formats 0 and 1, are passed over.
 *
 * <p>Used by {@link RequestDecoder}; the broker's dispatcher answers with a {@link FormerProduceResponse}.
 */
public final class FormerProduce {
    private static final int NO_RECORDS = -1;

    private FormerProduce() {}

    /** Whether requests of this version are read here. */
    public static boolean isFormer(ApiKeys api, short version) {
        return api == ApiKeys.PRODUCE
                && version >= ApiKeys.PRODUCE_API_VERSIONS_RESPONSE_MIN_VERSION
                && version < ApiKeys.PRODUCE.oldestVersion();
    }

    /**
     * Reads the body, which is the same in all three versions: acks int16, timeout_ms int32, [topic string, [partition int32, records bytes]].
     *
     * @return the request, without records
     * @throws RuntimeException if these are not the bytes of one
     */
    static ProduceRequestData read(Readable from) {
        ProduceRequestData request =
                new ProduceRequestData().setAcks(from.readShort()).setTimeoutMs(from.readInt());
        int topics = length(from);
        for (int i = 0; i < topics; i++) {
            request.topicData()
                    .add(new TopicProduceData()
                            .setName(from.readString(from.readShort()))
                            .setPartitionData(partitions(from)));
        }
        return request;
    }

    private static List<PartitionProduceData> partitions(Readable from) {
        int length = length(from);
        List<PartitionProduceData> partitions = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            partitions.add(new PartitionProduceData().setIndex(from.readInt()));
            int records = from.readInt();
            if (records != NO_RECORDS) {
                from.readByteBuffer(records);
            }
        }
        return partitions;
    }

    /** The length of an array. As in the generated readers it is no more than what can follow. */
    private static int length(Readable from) {
        int length = from.readInt();
        if (length < 0 || length > from.remaining()) {
            throw new IllegalArgumentException("an array of " + length + " where " + from.remaining() + " can follow");
        }
        return length;
    }
}
