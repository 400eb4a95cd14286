package io.barnabas.net;

import io.barnabas.log.LogSlice;
import io.barnabas.port.ListenerSettings;
import io.barnabas.time.SystemClock;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * What a request costs between the socket and a dispatcher that does nothing: CPU and allocation of the event loops, for a lone
 * ping-pong, produces of 16 KB and 512 KB with five in flight, and fetches of 1 MB from a file. {@code main [SECONDS]}; one line a case.
 */
public final class SocketCost {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private SocketCost() {}

    public static void main(String[] args) throws Exception {
        double seconds = args.length > 0 ? Double.parseDouble(args[0]) : 3;
        Path file = Files.write(Files.createTempFile("socket-cost", ".log"), new byte[1 << 20]);
        try (FileChannel channel = FileChannel.open(file)) {
            FakeDispatcher dispatcher = new FakeDispatcher(oneLoop()).answering((request, connection, responder) -> {
                if (request.api() == ApiKeys.FETCH) {
                    responder.respond(new FetchResponseData()
                            .setResponses(List.of(new FetchableTopicResponse()
                                    .setPartitions(List.of(new PartitionData()
                                            .setRecords(new LogSlice(channel, 0, 1 << 20, () -> {})))))));
                } else {
                    responder.respond(FakeDispatcher.answerTo(request));
                }
            });
            SocketServer server = new SocketServer(dispatcher, new SystemClock());
            server.start();
            try {
                for (int round = 0; round < 3; round++) {
                    run("ping-pong", server, ping(), 1, seconds);
                    run("produce 16 KB", server, produce(16 << 10), 5, seconds);
                    run("produce 16 KB lone", server, produce(16 << 10), 1, seconds);
                    run("produce 512 KB", server, produce(512 << 10), 5, seconds);
                    run("fetch 1 MB", server, fetch(), 2, seconds);
                }
            } finally {
                server.stop();
            }
        } finally {
            Files.delete(file);
        }
    }

    private static ListenerSettings oneLoop() {
        ListenerSettings s = FakeDispatcher.settings();
        return new ListenerSettings(s.listeners(), 1, s.socketRequestMaxBytes(), -1, 100, 100, -1, -1, 100, 100, -1);
    }

    private static byte[] ping() {
        return RawClient.frame(ApiKeys.API_VERSIONS, (short) 3, 1, new ApiVersionsRequestData());
    }

    private static byte[] fetch() {
        return RawClient.frame(ApiKeys.FETCH, (short) 12, 1, new FetchRequestData());
    }

    private static byte[] produce(int bytes) {
        TopicProduceDataCollection topics = new TopicProduceDataCollection();
        topics.add(new TopicProduceData()
                .setName("topic")
                .setPartitionData(List.of(new PartitionProduceData()
                        .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(bytes))))));
        return RawClient.frame(
                ApiKeys.PRODUCE,
                (short) 12,
                1,
                new ProduceRequestData().setAcks((short) 1).setTopicData(topics));
    }

    private static void run(String what, SocketServer server, byte[] frame, int inFlight, double seconds)
            throws Exception {
        ByteBuffer request = ByteBuffer.allocateDirect(frame.length).put(frame).flip();
        ByteBuffer answers = ByteBuffer.allocateDirect(1 << 20);
        try (SocketChannel client =
                SocketChannel.open(new java.net.InetSocketAddress("127.0.0.1", server.boundPort("PLAINTEXT")))) {
            client.setOption(java.net.StandardSocketOptions.TCP_NODELAY, true);
            for (int i = 0; i < inFlight; i++) {
                write(client, request);
            }
            long[] before = spent();
            long start = System.nanoTime();
            long count = 0;
            while (System.nanoTime() - start < seconds * 1e9) {
                receive(client, answers);
                write(client, request);
                count++;
            }
            double took = (System.nanoTime() - start) / 1e9;
            long[] after = spent();
            double bytes = count * Math.max(frame.length, what.startsWith("fetch") ? 1 << 20 : 0);
            System.out.printf(
                    "%-20s %9.0f /s %8.2f us CPU %7d B heap a request %7.2f CPU-s/GB%n",
                    what,
                    count / took,
                    (after[0] - before[0]) / 1e3 / count,
                    (after[1] - before[1]) / count,
                    (after[0] - before[0]) / bytes);
        }
    }

    private static void write(SocketChannel client, ByteBuffer request) throws Exception {
        request.rewind();
        while (request.hasRemaining()) {
            client.write(request);
        }
    }

    private static void receive(SocketChannel client, ByteBuffer answers) throws Exception {
        answers.clear().limit(4);
        read(client, answers);
        for (int left = answers.getInt(0); left > 0; left -= answers.position()) {
            answers.clear().limit(Math.min(answers.capacity(), left));
            read(client, answers);
        }
    }

    private static void read(SocketChannel client, ByteBuffer into) throws Exception {
        while (into.hasRemaining()) {
            if (client.read(into) < 0) {
                throw new java.io.EOFException();
            }
        }
    }

    /** CPU nanoseconds and bytes allocated by the event loop. */
    private static long[] spent() {
        return Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().startsWith("barnabas-net"))
                .map(thread -> new long[] {
                    THREADS.getThreadCpuTime(thread.getThreadId()),
                    THREADS.getThreadAllocatedBytes(thread.getThreadId())
                })
                .reduce(new long[2], (a, b) -> new long[] {a[0] + b[0], a[1] + b[1]});
    }
}
