package io.barnabas.simulation;

import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Commits offsets of a group without members, each higher than the one before, and asks for them: what was acknowledged does not go back
 * (I13), whoever coordinates by then.
 */
final class CommittingClient {
    private static final short COMMIT_VERSION = 8;
    private static final short FETCH_VERSION = 8;
    private static final int TIMEOUT_MS = 700;
    private static final int REST_MS = 40;
    private static final Set<Errors> RETRIED = Set.of(
            Errors.COORDINATOR_LOAD_IN_PROGRESS,
            Errors.COORDINATOR_NOT_AVAILABLE,
            Errors.NOT_COORDINATOR,
            Errors.REQUEST_TIMED_OUT);

    private final String group;
    private final ClusterConnection connection;
    private final ClusterSimulation simulation;
    private long tried = -1;
    private long acknowledged = -1;
    private boolean wanted; // a request is due
    private boolean fetches;
    private boolean busy;
    private int answers;

    CommittingClient(String group, ClusterSimulation simulation) {
        this.group = group;
        this.simulation = simulation;
        this.connection = new ClusterConnection(
                simulation.cluster, new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, 0), group, simulation.random);
    }

    boolean idle() {
        return !wanted;
    }

    int answers() {
        return answers;
    }

    @Override
    public String toString() {
        return "group " + group + " is not answered at " + connection.broker();
    }

    /** Asks for something, if nothing is open. */
    void step(boolean mayCommit) {
        if (!wanted) {
            wanted = true;
            fetches = !mayCommit || simulation.random.nextInt(3) == 0;
            if (!fetches) {
                tried++;
            }
        }
        pump();
    }

    private void pump() {
        if (busy || !wanted) {
            return;
        }
        busy = fetches
                ? connection.send(ApiKeys.OFFSET_FETCH, FETCH_VERSION, fetch(), TIMEOUT_MS, this::onFetched)
                : connection.send(ApiKeys.OFFSET_COMMIT, COMMIT_VERSION, commit(), TIMEOUT_MS, this::onCommitted);
        if (!busy) {
            rest();
        }
    }

    private void rest() {
        busy = true;
        simulation.cluster.ticker.after(REST_MS, () -> {
            busy = false;
            pump();
        });
    }

    private OffsetCommitRequestData commit() {
        return new OffsetCommitRequestData()
                .setGroupId(group)
                .setTopics(List.of(new OffsetCommitRequestData.OffsetCommitRequestTopic()
                        .setName(SimulatedCluster.TOPIC)
                        .setPartitions(List.of(new OffsetCommitRequestData.OffsetCommitRequestPartition()
                                .setPartitionIndex(0)
                                .setCommittedOffset(tried)))));
    }

    private OffsetFetchRequestData fetch() {
        return new OffsetFetchRequestData()
                .setRequireStable(true)
                .setGroups(List.of(new OffsetFetchRequestData.OffsetFetchRequestGroup()
                        .setGroupId(group)
                        .setTopics(List.of(new OffsetFetchRequestData.OffsetFetchRequestTopics()
                                .setName(SimulatedCluster.TOPIC)
                                .setPartitionIndexes(List.of(0))))));
    }

    private void onCommitted(@Nullable ApiMessage body) {
        Errors error = body instanceof OffsetCommitResponseData answer
                ? Errors.forCode(answer.topics().get(0).partitions().get(0).errorCode())
                : Errors.REQUEST_TIMED_OUT;
        if (settled(error)) {
            simulation.trace.note(group + " committed " + tried + " at " + connection.broker());
            acknowledged = tried;
        }
    }

    private void onFetched(@Nullable ApiMessage body) {
        if (!(body instanceof OffsetFetchResponseData answer)) {
            settled(Errors.REQUEST_TIMED_OUT);
            return;
        }
        OffsetFetchResponseData.OffsetFetchResponseGroup of = answer.groups().get(0);
        if (settled(Errors.forCode(of.errorCode()))) {
            OffsetFetchResponseData.OffsetFetchResponsePartitions found =
                    of.topics().get(0).partitions().get(0);
            ClusterChecks.require(
                    found.errorCode() == 0
                            && found.committedOffset() >= acknowledged
                            && found.committedOffset() <= tried,
                    group + " is told " + found + " by " + connection.broker() + ", it has committed " + acknowledged
                            + " and perhaps " + tried);
            acknowledged = Math.max(acknowledged, found.committedOffset());
        }
    }

    private boolean settled(Errors error) {
        if (error == Errors.NONE) {
            busy = false;
            wanted = false;
            answers++;
            return true;
        }
        ClusterChecks.require(
                RETRIED.contains(error), group + " is told " + error + " by " + connection.broker() + " of " + tried);
        connection.drop();
        rest();
        return false;
    }
}
