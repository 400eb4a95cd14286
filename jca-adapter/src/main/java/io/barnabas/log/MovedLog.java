package io.barnabas.log;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * A log that was moved to another data directory, as the folder says that it has left behind.
 *
 * @param topicId zero if a loss of power took it
 * @param directoryId of the directory that the log is in now
 */
public record MovedLog(TopicPartition partition, Uuid topicId, Uuid directoryId) {
    /** Whether it is this topic's log. */
    public boolean isOf(TopicPartition name, Uuid id) {
        return partition.equals(name) && (topicId.equals(id) || topicId.equals(Uuid.ZERO_UUID));
    }
}
