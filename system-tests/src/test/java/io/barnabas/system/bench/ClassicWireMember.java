package io.barnabas.system.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** A member of the classic protocol with an eager range assignment: called to join again it gives everything up and does. */
final class ClassicWireMember extends WireMember {
    private static final int JOIN_VERSION = 9;
    private static final int SYNC_VERSION = 5;
    private static final int HEARTBEAT_VERSION = 4;
    private static final int LEAVE_VERSION = 5;
    private static final int SESSION_TIMEOUT_MS = 45_000;
    private static final int REBALANCE_TIMEOUT_MS = 300_000;
    private static final int HEARTBEAT_INTERVAL_MS = 3_000;
    private static final String PROTOCOL = "range";

    private final byte[] subscription;
    private String memberId = "";
    private boolean synced;

    ClassicWireMember(WireLoop loop, WireGroup group) throws IOException {
        super(loop, group);
        ByteBuffer bytes = ConsumerProtocol.serializeSubscription(new Subscription(List.of(group.topic)));
        subscription = new byte[bytes.remaining()];
        bytes.get(subscription);
    }

    @Override
    void join() {
        synced = false;
        owned = new BitSet();
        group.onChange();
        JoinGroupRequestProtocolCollection protocols = new JoinGroupRequestProtocolCollection();
        protocols.add(new JoinGroupRequestProtocol().setName(PROTOCOL).setMetadata(subscription));
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId(group.id)
                .setMemberId(memberId)
                .setSessionTimeoutMs(SESSION_TIMEOUT_MS)
                .setRebalanceTimeoutMs(REBALANCE_TIMEOUT_MS)
                .setProtocolType(ConsumerProtocol.PROTOCOL_TYPE)
                .setProtocols(protocols);
        connection.send(request, JOIN_VERSION, this::onJoined);
    }

    private void onJoined(ApiMessage answer) {
        JoinGroupResponseData response = (JoinGroupResponseData) answer;
        Errors error = Errors.forCode(response.errorCode());
        if (error == Errors.MEMBER_ID_REQUIRED) {
            memberId = response.memberId();
            join();
        } else if (error == Errors.REBALANCE_IN_PROGRESS) {
            join();
        } else if (!retries(error, this::join)) {
            check(response.errorCode());
            memberId = response.memberId();
            epoch = response.generationId();
            sync(memberId.equals(response.leader()) ? assign(response.members()) : List.of());
        }
    }

    private List<SyncGroupRequestAssignment> assign(List<JoinGroupResponseMember> members) {
        List<String> ids =
                members.stream().map(JoinGroupResponseMember::memberId).sorted().toList();
        List<SyncGroupRequestAssignment> assignments = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            List<TopicPartition> range = new ArrayList<>();
            int to = (i + 1) * group.partitions / ids.size();
            for (int partition = i * group.partitions / ids.size(); partition < to; partition++) {
                range.add(new TopicPartition(group.topic, partition));
            }
            ByteBuffer bytes = ConsumerProtocol.serializeAssignment(new Assignment(range));
            byte[] assignment = new byte[bytes.remaining()];
            bytes.get(assignment);
            assignments.add(
                    new SyncGroupRequestAssignment().setMemberId(ids.get(i)).setAssignment(assignment));
        }
        return assignments;
    }

    private void sync(List<SyncGroupRequestAssignment> assignments) {
        SyncGroupRequestData request = new SyncGroupRequestData()
                .setGroupId(group.id)
                .setMemberId(memberId)
                .setGenerationId(epoch)
                .setProtocolType(ConsumerProtocol.PROTOCOL_TYPE)
                .setProtocolName(PROTOCOL)
                .setAssignments(assignments);
        connection.send(request, SYNC_VERSION, answer -> onSynced(answer, assignments));
    }

    private void onSynced(ApiMessage answer, List<SyncGroupRequestAssignment> assignments) {
        SyncGroupResponseData response = (SyncGroupResponseData) answer;
        Errors error = Errors.forCode(response.errorCode());
        if (error == Errors.REBALANCE_IN_PROGRESS) {
            join();
        } else if (!retries(error, () -> sync(assignments))) {
            check(response.errorCode());
            ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(response.assignment()))
                    .partitions()
                    .forEach(partition -> owned.set(partition.partition()));
            synced = true;
            group.onChange();
            beatIn(HEARTBEAT_INTERVAL_MS);
        }
    }

    @Override
    void heartbeat() {
        HeartbeatRequestData request = new HeartbeatRequestData()
                .setGroupId(group.id)
                .setMemberId(memberId)
                .setGenerationId(epoch);
        connection.send(request, HEARTBEAT_VERSION, answer -> {
            Errors error = Errors.forCode(((HeartbeatResponseData) answer).errorCode());
            group.beats++;
            if (error == Errors.REBALANCE_IN_PROGRESS) {
                join();
            } else if (!retries(error, this::heartbeat)) {
                check(error.code());
                beatIn(HEARTBEAT_INTERVAL_MS);
            }
        });
    }

    @Override
    boolean isSteady() {
        return synced;
    }

    @Override
    void leave(Runnable onLeft) {
        stop();
        LeaveGroupRequestData request = new LeaveGroupRequestData()
                .setGroupId(group.id)
                .setMembers(List.of(new MemberIdentity().setMemberId(memberId)));
        connection.send(request, LEAVE_VERSION, answer -> {
            check(((LeaveGroupResponseData) answer).errorCode());
            stop();
            connection.close();
            onLeft.run();
        });
    }
}
