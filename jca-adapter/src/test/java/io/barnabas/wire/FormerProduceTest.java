package io.barnabas.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponseCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FormerProduceTest {
    private final ResponseEncoder encoder = new ResponseEncoder(UnpooledByteBufAllocator.DEFAULT);
    private final RequestDecoder decoder =
            new RequestDecoder((api, version) -> api.oldestVersion() <= version && version <= api.latestVersion());

    @ParameterizedTest
    @ValueSource(shorts = {0, 1, 2})
    void a_request_is_read_without_its_records(short version) throws Exception {
        RequestFrame request = decoder.decode(twoTopics(version), 5);

        assertThat(request.version()).isEqualTo(version);
        assertThat(request.correlationId()).isEqualTo(7);
        assertThat(request.clientId()).isEqualTo("me");
        ProduceRequestData body = (ProduceRequestData) request.body();
        assertThat(body.acks()).isEqualTo((short) -1);
        assertThat(body.timeoutMs()).isEqualTo(1_500);
        assertThat(body.topicData()).extracting(topic -> topic.name()).containsExactly("a", "b");
        assertThat(body.topicData().stream().flatMap(topic -> topic.partitionData().stream()))
                .extracting(PartitionProduceData::index)
                .containsExactly(0, 3, 1);
        assertThat(body.topicData().stream().flatMap(topic -> topic.partitionData().stream()))
                .extracting(PartitionProduceData::records)
                .containsOnlyNulls();
    }

    @Test
    void a_request_that_ends_anywhere_before_its_end_is_refused() {
        ByteBuffer whole = twoTopics((short) 2);
        for (int length = 8; length < whole.remaining(); length++) {
            ByteBuffer part = whole.slice(0, length);
            assertThatThrownBy(() -> decoder.decode(part, 0))
                    .as("the first %d bytes", length)
                    .isInstanceOf(MalformedRequestException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 100})
    void a_length_that_cannot_be_is_refused(int length) {
        ByteBuffer topics = header((short) 0).putInt(length);
        ByteBuffer partitions = header((short) 0).putInt(1).putShort((short) 0).putInt(length);
        ByteBuffer records = header((short) 0).putInt(1).putShort((short) 0).putInt(1);
        records.putInt(0).putInt(length == -1 ? -2 : length);
        for (ByteBuffer frame : List.of(topics, partitions, records)) {
            assertThatThrownBy(() -> decoder.decode(frame.flip(), 0)).isInstanceOf(MalformedRequestException.class);
        }
    }

    @Test
    void an_answer_of_version_0_has_error_and_offset() {
        ByteBuffer answer = answer((short) 0);
        assertThat(answer.getInt()).isEqualTo(1); // topics
        assertTopic(answer);
        assertThat(answer.remaining()).isEqualTo(2 * (4 + 2 + 8));
        for (int partition : new int[] {0, 3}) {
            assertPartition(answer, partition);
        }
    }

    @Test
    void an_answer_of_version_1_ends_with_the_throttle_time() {
        ByteBuffer answer = answer((short) 1);
        assertThat(answer.getInt()).isEqualTo(1);
        assertTopic(answer);
        for (int partition : new int[] {0, 3}) {
            assertPartition(answer, partition);
        }
        assertThat(answer.getInt()).isEqualTo(12);
        assertThat(answer.hasRemaining()).isFalse();
    }

    @Test
    void an_answer_of_version_2_has_the_append_time_of_each_partition_too() {
        ByteBuffer answer = answer((short) 2);
        assertThat(answer.getInt()).isEqualTo(1);
        assertTopic(answer);
        for (int partition : new int[] {0, 3}) {
            assertPartition(answer, partition);
            assertThat(answer.getLong()).isEqualTo(-1);
        }
        assertThat(answer.getInt()).isEqualTo(12);
        assertThat(answer.hasRemaining()).isFalse();
    }

    private static void assertTopic(ByteBuffer answer) {
        byte[] name = new byte[answer.getShort()];
        answer.get(name);
        assertThat(new String(name, StandardCharsets.UTF_8)).isEqualTo("täglich");
        assertThat(answer.getInt()).isEqualTo(2); // partitions
    }

    private static void assertPartition(ByteBuffer answer, int index) {
        assertThat(answer.getInt()).isEqualTo(index);
        assertThat(answer.getShort()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
        assertThat(answer.getLong()).isEqualTo(-1);
    }

    /** What leaves the socket after the header. */
    private ByteBuffer answer(short version) {
        TopicProduceResponse topic = new TopicProduceResponse().setName("täglich");
        for (int partition : new int[] {0, 3}) {
            topic.partitionResponses()
                    .add(new PartitionProduceResponse()
                            .setIndex(partition)
                            .setErrorCode(Errors.UNSUPPORTED_VERSION.code())
                            .setBaseOffset(-1));
        }
        TopicProduceResponseCollection topics = new TopicProduceResponseCollection();
        topics.mustAdd(topic);
        ProduceResponseData data =
                new ProduceResponseData().setResponses(topics).setThrottleTimeMs(12);
        EncodedFrame frame = encoder.encode(ApiKeys.PRODUCE, version, 9, new FormerProduceResponse(data));
        ByteBuf bytes = (ByteBuf) frame.parts().get(0);
        ByteBuffer copy = ByteBuffer.allocate(bytes.readableBytes());
        bytes.readBytes(copy);
        frame.release();
        assertThat(copy.flip().getInt()).isEqualTo(copy.remaining());
        assertThat(copy.getInt()).isEqualTo(9);
        return copy;
    }

    private static ByteBuffer header(short version) {
        return ByteBuffer.allocate(200)
                .putShort(ApiKeys.PRODUCE.id)
                .putShort(version)
                .putInt(7)
                .putShort((short) 2)
                .put(new byte[] {'m', 'e'})
                .putShort((short) -1) // acks
                .putInt(1_500);
    }

    /** a-0 with 20 bytes of records, a-3 with none, b-1 with null. */
    private static ByteBuffer twoTopics(short version) {
        return header(version)
                .putInt(2)
                .putShort((short) 1)
                .put((byte) 'a')
                .putInt(2)
                .putInt(0)
                .putInt(20)
                .put(new byte[20])
                .putInt(3)
                .putInt(0)
                .putShort((short) 1)
                .put((byte) 'b')
                .putInt(1)
                .putInt(1)
                .putInt(-1)
                .flip();
    }
}
