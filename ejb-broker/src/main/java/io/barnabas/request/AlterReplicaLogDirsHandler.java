package io.barnabas.request;

import io.barnabas.log.DataDirectory;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirPartitionResult;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Begins to move logs to another data directory of this broker (KIP-113); DescribeLogDirs shows how far it is. */
public final class AlterReplicaLogDirsHandler implements ApiHandler<AlterReplicaLogDirsRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(AlterReplicaLogDirsHandler.class);

    private final DataPath path;

    public AlterReplicaLogDirsHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_REPLICA_LOG_DIRS;
    }

    @Override
    public void handle(AlterReplicaLogDirsRequestData request, RequestContext context, Responder responder) {
        path.answerOnWorker(context, responder, () -> {
            Map<String, List<AlterReplicaLogDirPartitionResult>> byTopic = new TreeMap<>();
            for (var directory : request.dirs()) {
                for (var topic : directory.topics()) {
                    for (int partition : topic.partitions()) {
                        byTopic.computeIfAbsent(topic.name(), name -> new ArrayList<>())
                                .add(new AlterReplicaLogDirPartitionResult()
                                        .setPartitionIndex(partition)
                                        .setErrorCode(move(topic.name(), partition, directory.path(), context)
                                                .code()));
                    }
                }
            }
            AlterReplicaLogDirsResponseData response = new AlterReplicaLogDirsResponseData();
            byTopic.forEach((topic, partitions) -> response.results()
                    .add(new AlterReplicaLogDirTopicResult().setTopicName(topic).setPartitions(partitions)));
            return response;
        });
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the answer does not wait for the move; its end is logged
    private Errors move(String topic, int index, String to, RequestContext context) {
        try {
            DataDirectory target = directory(to);
            LocalPartition partition = path.partitions().hosted(topic, index);
            if (!partition.log().directory().id().equals(target.id())) {
                path.logs().move(partition.topicPartition(), target).whenComplete((log, failure) -> {
                    if (failure != null) {
                        LOG.warn(
                                "log could not be moved; partition={} directory={}",
                                partition.topicPartition(),
                                to,
                                failure);
                    }
                });
            }
            return Errors.NONE;
        } catch (NotLeaderOrFollowerException e) {
            return Errors.REPLICA_NOT_AVAILABLE; // what this API has always said instead
        } catch (RuntimeException failure) {
            return path.partError(context, failure);
        }
    }

    private DataDirectory directory(String wanted) {
        for (DataDirectory directory : path.logs().directories()) {
            if (directory.path().toAbsolutePath().toString().equals(wanted)) {
                if (!directory.online()) {
                    throw new KafkaStorageException("Directory " + wanted + " is offline");
                }
                return directory;
            }
        }
        throw new LogDirNotFoundException("There is no data directory " + wanted);
    }
}
