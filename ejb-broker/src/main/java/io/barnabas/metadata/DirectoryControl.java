package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData.DirectoryData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData.PartitionData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData.TopicData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The rule of telling in which of a broker's directories its replicas are (KIP-858), so that a start without a directory does not take
 * for missing what is in it; and of giving a replica up, which is said to be in the lost directory then. What the metadata say already
 * makes no record. Pure.
 */
final class DirectoryControl {
    private final PartitionRules rules;
    private final MetadataImage image;
    private final int brokerId;
    private final List<ApiMessage> records = new ArrayList<>();

    private DirectoryControl(PartitionRules rules, MetadataImage image, int brokerId) {
        this.rules = rules;
        this.image = image;
        this.brokerId = brokerId;
    }

    /**
     * Takes the directories of replicas over.
     *
     * @throws org.apache.kafka.common.errors.StaleBrokerEpochException if the broker has been registered anew, or is not
     */
    static Decision<AssignReplicasToDirsResponseData> decide(
            PartitionRules rules, MetadataImage image, AssignReplicasToDirsRequestData request) {
        AlterPartitionControl.checkEpoch(image, request.brokerId(), request.brokerEpoch());
        DirectoryControl control = new DirectoryControl(rules, image, request.brokerId());
        AssignReplicasToDirsResponseData response = new AssignReplicasToDirsResponseData();
        for (AssignReplicasToDirsRequestData.DirectoryData directory : request.directories()) {
            DirectoryData answer = new DirectoryData().setId(directory.id());
            directory.topics().forEach(topic -> {
                TopicData ofTopic = new TopicData().setTopicId(topic.topicId());
                topic.partitions().forEach(p -> {
                    Errors error = control.assign(topic.topicId(), p.partitionIndex(), directory.id());
                    ofTopic.partitions()
                            .add(new PartitionData()
                                    .setPartitionIndex(p.partitionIndex())
                                    .setErrorCode(error.code()));
                });
                answer.topics().add(ofTopic);
            });
            response.directories().add(answer);
        }
        return Decision.of(control.records, response);
    }

    private Errors assign(Uuid topicId, int index, Uuid directory) {
        @Nullable TopicImage topic = image.topic(topicId);
        if (topic == null) {
            return Errors.UNKNOWN_TOPIC_ID;
        }
        if (index < 0 || index >= topic.partitions().size()) {
            return Errors.UNKNOWN_TOPIC_OR_PARTITION;
        }
        PartitionImage partition = topic.partitions().get(index);
        if (!partition.replicas().contains(brokerId)) {
            return Errors.NOT_LEADER_OR_FOLLOWER;
        }
        if (directory.equals(PartitionRules.LOST_DIRECTORY)) {
            return giveUp(topic, partition);
        }
        boolean lost = image.broker(brokerId)
                        .filter(b -> !b.logDirs().contains(directory))
                        .isPresent()
                && !PartitionRules.isAlone(image, brokerId);
        rules.placed(image, topic, partition, brokerId, lost)
                .toDirectory(brokerId, directory)
                .decide()
                .ifPresent(records::add);
        return Errors.NONE;
    }

    private Errors giveUp(TopicImage topic, PartitionImage partition) {
        if (PartitionRules.hasGivenUp(partition, brokerId)) {
            return Errors.NONE;
        }
        Optional<PartitionChange> change = rules.givenUp(image, topic, partition, brokerId);
        change.flatMap(PartitionChange::decide).ifPresent(records::add);
        return change.isPresent() ? Errors.NONE : Errors.NOT_ENOUGH_REPLICAS;
    }
}
