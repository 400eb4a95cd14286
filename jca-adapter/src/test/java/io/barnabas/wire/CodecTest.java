package io.barnabas.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.log.LogSlice;
import io.barnabas.net.RawClient;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.types.Schema;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class CodecTest {
    private final ResponseEncoder encoder = new ResponseEncoder(UnpooledByteBufAllocator.DEFAULT);
    private final RequestDecoder decoder = new RequestDecoder((api, version) -> version <= api.latestVersion());

    @TestFactory
    Stream<DynamicTest> every_request_and_response_of_every_version_makes_the_round_trip() {
        return Stream.of(ApiKeys.values())
                .filter(ApiKeys::hasValidVersion)
                .map(api -> DynamicTest.dynamicTest(api.name, () -> {
                    for (short version : api.allVersions()) {
                        for (long seed = 0; seed < 20; seed++) {
                            requestMakesTheRoundTrip(api, version, seed);
                            responseMakesTheRoundTrip(api, version, seed);
                        }
                    }
                }));
    }

    private void requestMakesTheRoundTrip(ApiKeys api, short version, long seed) throws Exception {
        Schema schema = api.messageType.requestSchemas()[version];
        ApiMessage sent = api.messageType.newRequest();
        sent.read(new ByteBufferAccessor(new RandomMessages(seed).bytes(schema)), version);
        ByteBuffer frame = ByteBuffer.wrap(RawClient.frame(api, version, 7, sent));
        frame.getInt();
        RequestFrame received = decoder.decode(directCopy(frame), 5);

        assertThat(received.body()).as("%s %d seed %d", api, version, seed).isEqualTo(sent);
        assertThat(received.correlationId()).isEqualTo(7);
        assertThat(received.clientId()).isEqualTo("test");
        assertThat(received.version()).isEqualTo(version);
    }

    private void responseMakesTheRoundTrip(ApiKeys api, short version, long seed) {
        Schema schema = api.messageType.responseSchemas()[version];
        ApiMessage sent = api.messageType.newResponse();
        sent.read(new ByteBufferAccessor(new RandomMessages(seed).bytes(schema)), version);
        EncodedFrame encoded = encoder.encode(api, version, 9, sent);
        ByteBuffer bytes = bytes(encoded);

        assertThat(bytes.getInt()).isEqualTo(bytes.remaining());
        assertThat(encoded.sizeInBytes()).isEqualTo(bytes.capacity());
        ByteBufferAccessor reader = new ByteBufferAccessor(bytes);
        assertThat(new ResponseHeaderData(reader, api.responseHeaderVersion(version)).correlationId())
                .isEqualTo(9);
        ApiMessage received = api.messageType.newResponse();
        received.read(reader, version);
        assertThat(received).as("%s %d seed %d", api, version, seed).isEqualTo(sent);
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @Test
    void records_of_a_fetch_leave_as_regions_between_the_buffers_and_are_given_back(@TempDir Path folder)
            throws Exception {
        byte[] content = new byte[200_000];
        new java.util.Random(1).nextBytes(content);
        Path file = Files.write(folder.resolve("segment"), content);
        AtomicInteger given = new AtomicInteger();
        try (FileChannel channel = FileChannel.open(file)) {
            List<PartitionData> partitions = new ArrayList<>();
            int[] sizes = {100, 40_000, 0, 150_000, 20};
            for (int size : sizes) {
                partitions.add(new PartitionData()
                        .setPartitionIndex(size)
                        .setRecords(new LogSlice(channel, size / 10, size, given::incrementAndGet)));
            }
            FetchResponseData body = new FetchResponseData()
                    .setResponses(List.of(new FetchableTopicResponse().setPartitions(partitions)));

            EncodedFrame frame = encoder.encode(ApiKeys.FETCH, (short) 17, 1, body);

            assertThat(frame.parts().stream().filter(part -> part instanceof SliceRegion))
                    .hasSize(2);
            ByteBuffer bytes = bytes(frame);
            assertThat(given).hasValue(5);
            assertThat(channel.isOpen()).isTrue();
            bytes.position(9);
            FetchResponseData received = new FetchResponseData(new ByteBufferAccessor(bytes), (short) 17);
            for (PartitionData partition : received.responses().get(0).partitions()) {
                int size = partition.partitionIndex();
                assertThat(partition.records().sizeInBytes()).isEqualTo(size);
                ByteBuffer records =
                        ((org.apache.kafka.common.record.internal.MemoryRecords) partition.records()).buffer();
                assertThat(records).isEqualTo(ByteBuffer.wrap(content, size / 10, size));
            }
        }
    }

    @Test
    void a_slice_whose_file_is_too_short_is_given_back_with_the_others(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("segment"), new byte[50_000]);
        AtomicInteger given = new AtomicInteger();
        try (FileChannel channel = FileChannel.open(file)) {
            FetchResponseData body = new FetchResponseData()
                    .setResponses(List.of(new FetchableTopicResponse()
                            .setPartitions(List.of(
                                    new PartitionData()
                                            .setRecords(new LogSlice(channel, 0, 40_000, given::incrementAndGet)),
                                    new PartitionData()
                                            .setRecords(new LogSlice(channel, 49_999, 10, given::incrementAndGet)),
                                    new PartitionData()
                                            .setRecords(new LogSlice(channel, 0, 10, given::incrementAndGet))))));
            assertThatThrownBy(() -> encoder.encode(ApiKeys.FETCH, (short) 17, 1, body))
                    .hasMessageContaining("too early");
            assertThat(given).hasValue(3);
        }
    }

    @Test
    void an_array_longer_than_the_reads_of_a_frame_is_refused_before_memory_is_taken() {
        int elements = 50_000_000;
        ByteBuffer frame = ByteBuffer.allocateDirect(elements + 100);
        frame.putShort(ApiKeys.DELETE_GROUPS.id).putShort((short) 1).putInt(1).putShort((short) -1);
        frame.putInt(elements).position(0);
        assertThatThrownBy(() -> decoder.decode(frame, 0))
                .isInstanceOf(MalformedRequestException.class)
                .hasMessageContaining("collection");
    }

    @Test
    void bytes_after_the_end_of_a_request_are_ignored() throws Exception {
        ByteBuffer whole = ByteBuffer.wrap(RawClient.frame(
                ApiKeys.LIST_GROUPS, (short) 4, 7, new org.apache.kafka.common.message.ListGroupsRequestData()));
        ByteBuffer longer =
                ByteBuffer.allocate(whole.remaining() + 1).put(whole).position(4);
        assertThat(decoder.decode(longer.slice(), 0).correlationId()).isEqualTo(7);
    }

    @Test
    void an_unknown_version_of_api_versions_comes_back_with_an_empty_body() throws Exception {
        ByteBuffer frame = ByteBuffer.allocate(100);
        frame.putShort(ApiKeys.API_VERSIONS.id).putShort((short) 99).putInt(4).putShort((short) -1);
        frame.put((byte) 0).flip();
        RequestFrame request = decoder.decode(frame, 0);
        assertThat(request.version()).isEqualTo((short) 99);
        assertThat(request.correlationId()).isEqualTo(4);
    }

    private static ByteBuffer directCopy(ByteBuffer bytes) {
        return ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
    }

    /** What would leave the socket; the frame is given back. */
    private static ByteBuffer bytes(EncodedFrame frame) {
        ByteBuf all = Unpooled.buffer();
        for (Object part : frame.parts()) {
            if (part instanceof ByteBuf buffer) {
                all.writeBytes(buffer);
            } else {
                readRegion((SliceRegion) part, all);
            }
        }
        frame.release();
        return ByteBuffer.wrap(all.array(), 0, all.readableBytes()).slice();
    }

    private static void readRegion(SliceRegion region, ByteBuf into) {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        try {
            java.nio.channels.WritableByteChannel sink = java.nio.channels.Channels.newChannel(out);
            while (region.transferred() < region.count()) {
                region.transferTo(sink, region.transferred());
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        into.writeBytes(out.toByteArray());
    }

    @Test
    void an_answer_larger_than_any_may_be_is_refused_before_memory_is_taken() {
        DescribeGroupsResponseData body = new DescribeGroupsResponseData();
        String name = "g".repeat(30_000);
        for (int i = 0; i <= ResponseEncoder.BYTES_MAX / name.length(); i++) {
            body.groups().add(new DescribeGroupsResponseData.DescribedGroup().setGroupId(name));
        }
        assertThatThrownBy(() -> encoder.encode(ApiKeys.DESCRIBE_GROUPS, (short) 5, 1, body))
                .isInstanceOf(AnswerTooLargeException.class);
    }
}
