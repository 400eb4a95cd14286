package io.barnabas.replication;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AlterPartitionRequestData.BrokerState;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * The controller of a test's one topic: brokers come and go as the test says, partitions follow by the rules of in-sync and eligible
 * leader replicas, and every change is published as records.
 */
final class ScriptedController {
    static final String TOPIC = "t";
    static final Uuid TOPIC_ID = new Uuid(7, 7);

    private final Map<Integer, Broker> brokers = new TreeMap<>();
    private final List<PartitionState> partitions = new ArrayList<>();
    private final Consumer<List<ApiMessage>> publish;
    private final int minInSync;
    private long nextBrokerEpoch = 100;

    private static final class Broker {
        long epoch;
        boolean fenced;
    }

    /** What the controller knows of a partition. */
    static final class PartitionState {
        final int index;
        int leader;
        int leaderEpoch;
        int partitionEpoch;
        List<Integer> isr;
        final TreeSet<Integer> elr = new TreeSet<>();

        PartitionState(int index, int leader, List<Integer> isr) {
            this.index = index;
            this.leader = leader;
            this.isr = isr;
        }
    }

    ScriptedController(int minInSync, Consumer<List<ApiMessage>> publish) {
        this.minInSync = minInSync;
        this.publish = publish;
    }

    /** Brokers 1 to {@code count}, all in service, and a topic with a replica on each. */
    void begin(int count, int partitionCount) {
        List<Integer> all = new ArrayList<>();
        for (int id = 1; id <= count; id++) {
            all.add(id);
            Broker broker = new Broker();
            broker.epoch = nextBrokerEpoch++;
            brokers.put(id, broker);
        }
        for (int i = 0; i < partitionCount; i++) {
            partitions.add(new PartitionState(i, 1 + i % count, all));
        }
    }

    /** Every broker has a rack of its own. */
    static String rack(int broker) {
        return "rack" + broker;
    }

    PartitionState partition(int index) {
        return partitions.get(index);
    }

    boolean inService(int broker) {
        return !brokers.get(broker).fenced;
    }

    /** Everything, for a broker that begins. */
    List<ApiMessage> all() {
        List<ApiMessage> records = new ArrayList<>();
        brokers.keySet().forEach(id -> records.add(record(id)));
        records.add(new TopicRecord().setName(TOPIC).setTopicId(TOPIC_ID));
        partitions.forEach(partition -> records.add(record(partition)));
        return records;
    }

    private ApiMessage record(int id) {
        RegisterBrokerRecord record = new RegisterBrokerRecord()
                .setBrokerId(id)
                .setIncarnationId(new Uuid(2, id))
                .setRack(rack(id))
                .setBrokerEpoch(brokers.get(id).epoch)
                .setFenced(brokers.get(id).fenced);
        record.endPoints()
                .add(new RegisterBrokerRecord.BrokerEndpoint()
                        .setName(ReplicaNode.LISTENER)
                        .setHost(ReplicaNode.host(id))
                        .setPort(ReplicaNode.PORT));
        return record;
    }

    private ApiMessage record(PartitionState state) {
        return new PartitionRecord()
                .setTopicId(TOPIC_ID)
                .setPartitionId(state.index)
                .setReplicas(List.copyOf(brokers.keySet()))
                .setIsr(List.copyOf(state.isr))
                .setEligibleLeaderReplicas(List.copyOf(state.elr))
                .setLeader(state.leader)
                .setLeaderEpoch(state.leaderEpoch)
                .setPartitionEpoch(state.partitionEpoch);
    }

    /** The broker is not heard of any more. */
    void fence(int id) {
        brokers.get(id).fenced = true;
        List<ApiMessage> records = new ArrayList<>(List.of(record(id)));
        for (PartitionState state : partitions) {
            if (state.isr.contains(id) || state.leader == id) {
                change(state, without(state.isr, id), -1);
                records.add(record(state));
            }
        }
        publish.accept(records);
    }

    /** The broker begins anew. Returns its epoch. */
    long register(int id, boolean unclean) {
        Broker broker = brokers.get(id);
        broker.epoch = nextBrokerEpoch++;
        broker.fenced = true;
        List<ApiMessage> records = new ArrayList<>(List.of(record(id)));
        for (PartitionState state : partitions) {
            if (state.isr.contains(id) || state.leader == id || (unclean && state.elr.contains(id))) {
                change(state, without(state.isr, id), unclean ? id : -1);
                records.add(record(state));
            }
        }
        publish.accept(records);
        return broker.epoch;
    }

    /** The broker is in service. */
    void unfence(int id) {
        brokers.get(id).fenced = false;
        List<ApiMessage> records = new ArrayList<>(List.of(record(id)));
        for (PartitionState state : partitions) {
            if (state.leader < 0) {
                change(state, state.isr, -1);
                records.add(record(state));
            }
        }
        publish.accept(records);
    }

    /** Another leader, if the broker is in sync. */
    void elect(int index, int id) {
        PartitionState state = partitions.get(index);
        if (state.isr.contains(id) && state.leader != id && inService(id)) {
            state.leader = id;
            state.leaderEpoch++;
            state.partitionEpoch++;
            publish.accept(List.of(record(state)));
        }
    }

    private static List<Integer> without(List<Integer> isr, int id) {
        return isr.stream().filter(each -> each != id).toList();
    }

    private void change(PartitionState state, List<Integer> isr, int unclean) {
        if (isr.size() < minInSync) {
            state.isr.stream().filter(each -> !isr.contains(each)).forEach(state.elr::add);
            state.elr.remove(unclean);
        } else {
            state.elr.clear();
        }
        state.isr = isr;
        if (state.leader < 0 || !isr.contains(state.leader) || !inService(state.leader)) {
            int leader = isr.stream()
                    .filter(this::inService)
                    .findFirst()
                    .or(() -> isr.isEmpty()
                            ? state.elr.stream().filter(this::inService).findFirst()
                            : java.util.Optional.empty())
                    .orElse(-1);
            if (leader >= 0 && !isr.contains(leader)) {
                state.isr = List.of(leader);
                state.elr.remove(leader);
            }
            if (leader != state.leader) {
                state.leader = leader;
                state.leaderEpoch++;
            }
        }
        state.partitionEpoch++;
    }

    /** Answers a leader that asks for an ISR. */
    AlterPartitionResponseData alter(AlterPartitionRequestData request) {
        AlterPartitionResponseData response = new AlterPartitionResponseData();
        if (brokers.get(request.brokerId()).epoch != request.brokerEpoch()) {
            return response.setErrorCode(Errors.STALE_BROKER_EPOCH.code());
        }
        List<ApiMessage> records = new ArrayList<>();
        for (var topic : request.topics()) {
            List<AlterPartitionResponseData.PartitionData> answers = new ArrayList<>();
            for (var wanted : topic.partitions()) {
                PartitionState state = partitions.get(wanted.partitionIndex());
                Errors error = refusal(request.brokerId(), wanted, state);
                if (error == Errors.NONE) {
                    change(
                            state,
                            wanted.newIsrWithEpochs().stream()
                                    .map(BrokerState::brokerId)
                                    .sorted()
                                    .toList(),
                            -1);
                    records.add(record(state));
                }
                answers.add(new AlterPartitionResponseData.PartitionData()
                        .setPartitionIndex(state.index)
                        .setErrorCode(error.code())
                        .setLeaderId(state.leader)
                        .setLeaderEpoch(state.leaderEpoch)
                        .setPartitionEpoch(state.partitionEpoch)
                        .setIsr(state.isr));
            }
            response.topics()
                    .add(new AlterPartitionResponseData.TopicData()
                            .setTopicId(topic.topicId())
                            .setPartitions(answers));
        }
        if (!records.isEmpty()) {
            publish.accept(records);
        }
        return response;
    }

    private Errors refusal(int from, AlterPartitionRequestData.PartitionData wanted, PartitionState state) {
        if (state.leader != from || state.leaderEpoch != wanted.leaderEpoch()) {
            return Errors.FENCED_LEADER_EPOCH;
        }
        if (state.partitionEpoch != wanted.partitionEpoch()) {
            return Errors.INVALID_UPDATE_VERSION;
        }
        for (BrokerState member : wanted.newIsrWithEpochs()) {
            Broker broker = brokers.get(member.brokerId());
            if (broker.fenced || (member.brokerEpoch() != -1 && member.brokerEpoch() != broker.epoch)) {
                return Errors.INELIGIBLE_REPLICA;
            }
        }
        return Errors.NONE;
    }
}
