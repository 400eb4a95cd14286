package io.barnabas.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.SystemClock;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SocketServerTest {
    private final FakeDispatcher dispatcher = new FakeDispatcher(FakeDispatcher.settings());
    private final SocketServer server = new SocketServer(dispatcher, new SystemClock());

    @BeforeEach
    void start() throws Exception {
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    private RawClient connect() throws Exception {
        return new RawClient(server.boundPort("PLAINTEXT"));
    }

    @Test
    void a_request_is_answered_with_its_correlation_id() throws Exception {
        try (RawClient client = connect()) {
            client.send(RawClient.frame(ApiKeys.API_VERSIONS, (short) 0, 17, new ApiVersionsRequestData()));

            ByteBufferAccessor answer = new ByteBufferAccessor(client.receive());
            assertThat(new ResponseHeaderData(answer, (short) 0).correlationId())
                    .isEqualTo(17);
            assertThat(new ApiVersionsResponseData(answer, (short) 0).errorCode())
                    .isZero();
        }
    }

    @Test
    void a_frame_that_arrives_byte_by_byte_is_served() throws Exception {
        byte[] frame = RawClient.frame(ApiKeys.API_VERSIONS, (short) 3, 1, new ApiVersionsRequestData());
        try (RawClient client = connect()) {
            for (int i = 0; i < frame.length; i++) {
                client.send(frame, i, 1);
            }
            assertThat(client.receive().getInt()).isEqualTo(1);
        }
    }

    @Test
    void pipelined_frames_are_answered_in_order() throws Exception {
        int requests = 1000;
        byte[] frame = RawClient.frame(ApiKeys.API_VERSIONS, (short) 3, 0, new ApiVersionsRequestData());
        ByteBuffer all = ByteBuffer.allocate(frame.length * requests);
        for (int i = 0; i < requests; i++) {
            all.put(frame).putInt(i * frame.length + 8, i);
        }
        try (RawClient client = connect()) {
            client.send(all.array());
            for (int i = 0; i < requests; i++) {
                assertThat(client.receive().getInt()).isEqualTo(i);
            }
        }
    }
}
