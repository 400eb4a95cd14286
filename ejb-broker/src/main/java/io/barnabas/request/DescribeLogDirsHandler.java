package io.barnabas.request;

import io.barnabas.log.DataDirectory;
import io.barnabas.log.PartitionLog;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Lists the data directories with the logs in them and their sizes (KIP-113, 827). On a worker: it asks the file system. */
public final class DescribeLogDirsHandler implements ApiHandler<DescribeLogDirsRequestData> {
    private static final long UNKNOWN_LAG = -1;

    private final DataPath path;

    public DescribeLogDirsHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_LOG_DIRS;
    }

    @Override
    public void handle(DescribeLogDirsRequestData request, RequestContext context, Responder responder) {
        path.answerOnScan(context, responder, () -> {
            @Nullable Set<TopicPartition> wanted = wanted(request);
            DescribeLogDirsResponseData response = new DescribeLogDirsResponseData();
            for (DataDirectory directory : path.logs().directories()) {
                response.results().add(describe(directory, wanted));
            }
            return response;
        });
    }

    /** The partitions asked for; null means all. */
    private static @Nullable Set<TopicPartition> wanted(DescribeLogDirsRequestData request) {
        if (request.topics() == null) {
            return null;
        }
        Set<TopicPartition> wanted = new HashSet<>();
        for (var topic : request.topics()) {
            for (int partition : topic.partitions()) {
                wanted.add(new TopicPartition(topic.topic(), partition));
            }
        }
        return wanted;
    }

    private DescribeLogDirsResult describe(DataDirectory directory, @Nullable Set<TopicPartition> wanted) {
        DescribeLogDirsResult result = new DescribeLogDirsResult()
                .setLogDir(directory.path().toAbsolutePath().toString())
                .setIsCordoned(directory.cordoned());
        if (!directory.online()) {
            return result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
        }
        Map<String, List<DescribeLogDirsPartition>> byTopic = new TreeMap<>();
        Listing listing = new Listing(directory, wanted, byTopic);
        collect(path.logs().logs(), false, listing);
        collect(path.logs().futureLogs(), true, listing);
        byTopic.forEach((topic, partitions) ->
                result.topics().add(new DescribeLogDirsTopic().setName(topic).setPartitions(partitions)));
        return result.setTotalBytes(adjusted(directory.totalBytes())).setUsableBytes(adjusted(directory.usableBytes()));
    }

    /** What is listed of one directory. */
    private record Listing(
            DataDirectory directory,
            @Nullable Set<TopicPartition> wanted,
            Map<String, List<DescribeLogDirsPartition>> byTopic) {}

    private void collect(Collection<PartitionLog> logs, boolean future, Listing into) {
        for (PartitionLog log : logs) {
            TopicPartition name = log.topicPartition();
            if (!log.directory().id().equals(into.directory.id())
                    || (into.wanted != null && !into.wanted.contains(name))) {
                continue;
            }
            @Nullable LocalPartition partition = path.partitions().partition(name);
            boolean present = partition != null && partition.online();
            long lag = !present || partition == null
                    ? UNKNOWN_LAG
                    : (future ? partition.log().logEndOffset() : partition.highWatermark()) - log.logEndOffset();
            into.byTopic
                    .computeIfAbsent(name.topic(), topic -> new ArrayList<>())
                    .add(new DescribeLogDirsPartition()
                            .setPartitionIndex(name.partition())
                            .setPartitionSize(log.sizeInBytes())
                            .setOffsetLag(present ? Math.max(0, lag) : UNKNOWN_LAG)
                            .setIsFutureKey(future));
        }
    }

    /** File systems beyond 8 EiB overflow in the JDK. */
    private static long adjusted(long bytes) {
        return bytes < 0 ? Long.MAX_VALUE : bytes;
    }
}
