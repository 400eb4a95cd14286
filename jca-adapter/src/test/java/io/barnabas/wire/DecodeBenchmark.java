package io.barnabas.wire;

import io.barnabas.net.RawClient;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to decode one frame, by the partitions it names. See docs/performance.md for the command. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class DecodeBenchmark {
    @Param({"1", "100"})
    int partitions;

    private final RequestDecoder decoder = new RequestDecoder((api, version) -> true);
    private ByteBuffer produce;
    private ByteBuffer fetch;

    @Setup
    public void encode() {
        produce = frame(ApiKeys.PRODUCE, produce());
        fetch = frame(ApiKeys.FETCH, fetch());
    }

    /** A Produce request of the latest version, 1 KB for each partition. */
    @Benchmark
    public RequestFrame decodeProduce() throws MalformedRequestException {
        return decoder.decode(produce.duplicate(), 0);
    }

    /** A full Fetch request of the latest version. */
    @Benchmark
    public RequestFrame decodeFetch() throws MalformedRequestException {
        return decoder.decode(fetch.duplicate(), 0);
    }

    private ProduceRequestData produce() {
        MemoryRecords records =
                MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(1_700_000_000_000L, null, new byte[1000]));
        List<ProduceRequestData.PartitionProduceData> data = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            data.add(new ProduceRequestData.PartitionProduceData().setIndex(i).setRecords(records));
        }
        ProduceRequestData.TopicProduceDataCollection topics = new ProduceRequestData.TopicProduceDataCollection();
        topics.add(new ProduceRequestData.TopicProduceData()
                .setTopicId(new Uuid(1, 2))
                .setPartitionData(data));
        return new ProduceRequestData().setAcks((short) -1).setTimeoutMs(30_000).setTopicData(topics);
    }

    private FetchRequestData fetch() {
        List<FetchRequestData.FetchPartition> wanted = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            wanted.add(new FetchRequestData.FetchPartition()
                    .setPartition(i)
                    .setFetchOffset(1000)
                    .setPartitionMaxBytes(1 << 20));
        }
        return new FetchRequestData()
                .setMaxBytes(50 << 20)
                .setTopics(List.of(new FetchRequestData.FetchTopic()
                        .setTopicId(new Uuid(1, 2))
                        .setPartitions(wanted)));
    }

    private static ByteBuffer frame(ApiKeys api, ApiMessage body) {
        ByteBuffer framed = ByteBuffer.wrap(RawClient.frame(api, api.latestVersion(), 1, body));
        framed.getInt();
        ByteBuffer direct = ByteBuffer.allocateDirect(framed.remaining());
        return direct.put(framed).flip();
    }
}
