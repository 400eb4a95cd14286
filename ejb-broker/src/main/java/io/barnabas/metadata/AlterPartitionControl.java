package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.StaleBrokerEpochException;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AlterPartitionRequestData.BrokerState;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.message.AlterPartitionResponseData.PartitionData;
import org.apache.kafka.common.message.AlterPartitionResponseData.TopicData;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The rule of a leader's request for other in-sync replicas: granted if it leads in that epoch, knows the partition's present state,
 * and names replicas whose brokers are in service under the epoch it has met them with (KIP-841, KIP-903). Each partition is answered
 * for. A request that has been granted and comes again has an old partition epoch and is refused: the leader learns the outcome from
 * the metadata. Pure.
 */
final class AlterPartitionControl {
    private final PartitionRules rules;
    private final MetadataImage image;
    private final int brokerId;
    private final List<ApiMessage> records = new ArrayList<>();
    private final Set<String> seen = new HashSet<>();

    private AlterPartitionControl(PartitionRules rules, MetadataImage image, int brokerId) {
        this.rules = rules;
        this.image = image;
        this.brokerId = brokerId;
    }

    /**
     * Changes what can be changed.
     *
     * @throws StaleBrokerEpochException if the broker has been registered anew, or is not
     */
    static Decision<AlterPartitionResponseData> decide(
            PartitionRules rules, MetadataImage image, AlterPartitionRequestData request) {
        checkEpoch(image, request.brokerId(), request.brokerEpoch());
        AlterPartitionControl control = new AlterPartitionControl(rules, image, request.brokerId());
        AlterPartitionResponseData response = new AlterPartitionResponseData();
        for (AlterPartitionRequestData.TopicData topic : request.topics()) {
            TopicData answer = new TopicData().setTopicId(topic.topicId());
            @Nullable TopicImage known = image.topic(topic.topicId());
            topic.partitions().forEach(p -> answer.partitions()
                    .add(known == null ? failed(p, Errors.UNKNOWN_TOPIC_ID) : control.alter(known, p)));
            response.topics().add(answer);
        }
        return Decision.of(control.records, response);
    }

    /** @throws StaleBrokerEpochException if the broker is not registered under that epoch */
    static void checkEpoch(MetadataImage image, int brokerId, long epoch) {
        if (image.broker(brokerId).filter(b -> b.epoch() == epoch).isEmpty()) {
            throw new StaleBrokerEpochException("Broker " + brokerId + " is not registered under epoch " + epoch);
        }
    }

    private static PartitionData failed(AlterPartitionRequestData.PartitionData wanted, Errors error) {
        return new PartitionData().setPartitionIndex(wanted.partitionIndex()).setErrorCode(error.code());
    }

    private PartitionData alter(TopicImage topic, AlterPartitionRequestData.PartitionData wanted) {
        int index = wanted.partitionIndex();
        if (index < 0 || index >= topic.partitions().size()) {
            return failed(wanted, Errors.UNKNOWN_TOPIC_OR_PARTITION);
        }
        PartitionImage partition = topic.partitions().get(index);
        Errors fault = seen.add(key(topic.id(), index)) ? fault(partition, wanted) : Errors.INVALID_REQUEST;
        if (fault != Errors.NONE) {
            return failed(wanted, fault);
        }
        Optional<PartitionChangeRecord> record = rules.change(image, topic, partition)
                .toIsr(wanted.newIsrWithEpochs().stream()
                        .map(BrokerState::brokerId)
                        .toList())
                .recovering(wanted.leaderRecoveryState() == PartitionReplay.RECOVERING)
                .decide();
        record.ifPresent(records::add);
        PartitionImage after =
                record.map(r -> PartitionReplay.changed(partition, r)).orElse(partition);
        // The end of a move may take the lead from who asked (KIP-841).
        return after.leader() == brokerId ? granted(after) : failed(wanted, Errors.NEW_LEADER_ELECTED);
    }

    private static String key(Uuid topic, int partition) {
        return topic + "-" + partition;
    }

    private static PartitionData granted(PartitionImage partition) {
        return new PartitionData()
                .setPartitionIndex(partition.partition())
                .setLeaderId(partition.leader())
                .setLeaderEpoch(partition.leaderEpoch())
                .setIsr(partition.isr())
                .setLeaderRecoveryState(partition.recovering() ? PartitionReplay.RECOVERING : PartitionReplay.RECOVERED)
                .setPartitionEpoch(partition.partitionEpoch());
    }

    private Errors fault(PartitionImage partition, AlterPartitionRequestData.PartitionData wanted) {
        if (wanted.leaderEpoch() > partition.leaderEpoch() || wanted.partitionEpoch() > partition.partitionEpoch()) {
            return Errors.NOT_CONTROLLER; // it knows more than this node: another must be the controller
        }
        if (wanted.leaderEpoch() < partition.leaderEpoch()) {
            return Errors.FENCED_LEADER_EPOCH;
        }
        if (partition.leader() != brokerId) {
            return Errors.INVALID_REQUEST;
        }
        if (wanted.partitionEpoch() < partition.partitionEpoch()) {
            return Errors.INVALID_UPDATE_VERSION;
        }
        List<Integer> isr =
                wanted.newIsrWithEpochs().stream().map(BrokerState::brokerId).toList();
        boolean recovering = wanted.leaderRecoveryState() == PartitionReplay.RECOVERING;
        if ((recovering && (isr.size() > 1 || !partition.recovering()))
                || !isr.contains(brokerId)
                || !partition.replicas().containsAll(isr)
                || new HashSet<>(isr).size() != isr.size()) {
            return Errors.INVALID_REQUEST;
        }
        return wanted.newIsrWithEpochs().stream().allMatch(replica -> mayBeInSync(partition, replica))
                ? Errors.NONE
                : Errors.INELIGIBLE_REPLICA;
    }

    private boolean mayBeInSync(PartitionImage partition, BrokerState replica) {
        return !PartitionRules.hasGivenUp(partition, replica.brokerId())
                && PartitionRules.active(image).test(replica.brokerId())
                && image.broker(replica.brokerId())
                        .filter(b -> b.epoch() == replica.brokerEpoch())
                        .isPresent();
    }
}
