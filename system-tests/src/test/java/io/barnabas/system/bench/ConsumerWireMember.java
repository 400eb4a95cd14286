package io.barnabas.system.bench;

import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** A member of the consumer protocol (KIP-848): takes what an answer assigns, and at once says what it has. */
final class ConsumerWireMember extends WireMember {
    private static final int VERSION = 1;
    private static final int REBALANCE_TIMEOUT_MS = 300_000;
    private static final int LEAVES = -1;

    private final String memberId = Uuid.randomUuid().toString();
    private boolean unsaid; // what it has has changed since it said so

    ConsumerWireMember(WireLoop loop, WireGroup group) throws IOException {
        super(loop, group);
    }

    private ConsumerGroupHeartbeatRequestData request(int memberEpoch) {
        return new ConsumerGroupHeartbeatRequestData()
                .setGroupId(group.id)
                .setMemberId(memberId)
                .setMemberEpoch(memberEpoch);
    }

    @Override
    void join() {
        ConsumerGroupHeartbeatRequestData request = request(0)
                .setRebalanceTimeoutMs(REBALANCE_TIMEOUT_MS)
                .setSubscribedTopicNames(List.of(group.topic))
                .setTopicPartitions(List.of());
        connection.send(request, VERSION, answer -> onAnswer(answer, this::join));
    }

    @Override
    void heartbeat() {
        ConsumerGroupHeartbeatRequestData request = request(epoch);
        if (unsaid) {
            unsaid = false;
            request.setTopicPartitions(
                    owned.isEmpty()
                            ? List.of()
                            : List.of(new TopicPartitions()
                                    .setTopicId(group.topicId)
                                    .setPartitions(owned.stream().boxed().toList())));
        }
        connection.send(request, VERSION, answer -> onAnswer(answer, this::heartbeat));
    }

    private void onAnswer(ApiMessage answer, Runnable again) {
        ConsumerGroupHeartbeatResponseData response = (ConsumerGroupHeartbeatResponseData) answer;
        if (retries(Errors.forCode(response.errorCode()), again)) {
            return;
        }
        check(response.errorCode());
        group.beats++;
        if (epoch != response.memberEpoch()) {
            epoch = response.memberEpoch();
            group.onChange();
        }
        if (response.assignment() != null && take(response.assignment())) {
            unsaid = true;
            group.onChange();
            heartbeat();
        } else {
            beatIn(response.heartbeatIntervalMs());
        }
    }

    private boolean take(ConsumerGroupHeartbeatResponseData.Assignment assignment) {
        BitSet assigned = new BitSet(group.partitions);
        assignment.topicPartitions().forEach(topic -> topic.partitions().forEach(assigned::set));
        boolean differs = !assigned.equals(owned);
        owned = assigned;
        return differs;
    }

    @Override
    boolean isSteady() {
        return !unsaid;
    }

    @Override
    void leave(Runnable onLeft) {
        stop();
        connection.send(request(LEAVES), VERSION, answer -> {
            check(((ConsumerGroupHeartbeatResponseData) answer).errorCode());
            stop();
            connection.close();
            onLeft.run();
        });
    }
}
