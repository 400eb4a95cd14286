package io.barnabas.request;

import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogManager;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidTopicException;
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
        path.answerOnScan(context, responder, () -> {
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

    private Errors move(String topic, int index, String to, RequestContext context) {
        TopicPartition name = new TopicPartition(topic, index);
        try {
            if (!LogManager.isMovable(name)) {
                throw new InvalidTopicException("The name of " + name + " is too long for a move");
            }
            DataDirectory target = directory(to);
            if (path.logs().log(name).isEmpty()) {
                path.logs().prefer(name, target); // and yet an error, so that the client knows that nothing moves
            }
            begin(path.partitions().hosted(topic, index).topicPartition(), target);
            return Errors.NONE;
        } catch (NotLeaderOrFollowerException e) {
            return Errors.REPLICA_NOT_AVAILABLE; // what this API has always said instead
        } catch (RuntimeException failure) {
            return path.partError(context, failure);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the answer does not wait for the move; its end is logged
    private void begin(TopicPartition partition, DataDirectory target) {
        path.logs().move(partition, target).whenComplete((log, failure) -> {
            if (failure != null) {
                LOG.warn("log could not be moved; partition={} directory={}", partition, target.path(), failure);
            }
        });
    }

    private DataDirectory directory(String wanted) {
        for (DataDirectory directory : path.logs().directories()) {
            if (directory.path().toAbsolutePath().toString().equals(wanted)) {
                if (!directory.online()) {
                    throw new KafkaStorageException("Directory " + wanted + " is offline");
                }
                if (directory.cordoned()) {
                    throw new InvalidReplicaAssignmentException("Directory " + wanted + " is cordoned");
                }
                return directory;
            }
        }
        throw new LogDirNotFoundException("There is no data directory " + wanted);
    }
}
