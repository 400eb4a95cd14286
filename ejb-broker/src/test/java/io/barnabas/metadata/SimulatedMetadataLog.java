package io.barnabas.metadata;

import io.barnabas.metadata.MetadataLog.StateMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotControllerException;
import org.jspecify.annotations.Nullable;

/**
 * A metadata log in memory whose node leads from the start: a proposal is committed, applied and answered before {@link #propose}
 * returns, on the caller's thread. For tests of what stands on the metadata.
 */
public final class SimulatedMetadataLog implements MetadataLog {
    private final int nodeId;
    private final List<byte[]> entries = new ArrayList<>();
    private @Nullable StateMachine stateMachine;

    public SimulatedMetadataLog(int nodeId) {
        this.nodeId = nodeId;
    }

    @Override
    public void start(StateMachine machine) {
        stateMachine = machine;
        machine.onLeader(nodeId);
    }

    @Override
    public CompletableFuture<Long> propose(byte[] entry) {
        StateMachine machine = stateMachine;
        if (machine == null) {
            return CompletableFuture.failedFuture(new NotControllerException("Not started"));
        }
        entries.add(entry);
        long index = entries.size();
        return machine.apply(index, entry)
                ? CompletableFuture.completedFuture(index)
                : CompletableFuture.failedFuture(new NotControllerException("Void"));
    }

    @Override
    public CompletableFuture<@Nullable Void> addVoter(int node, Uuid directoryId, int timeoutMs) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException());
    }

    @Override
    public CompletableFuture<@Nullable Void> removeVoter(int node, Uuid directoryId, int timeoutMs) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException());
    }

    @Override
    public void forgetObserver(int node) {
        // there are none
    }

    @Override
    public QuorumState quorum() {
        if (stateMachine == null) {
            throw new NotControllerException("Not started");
        }
        LogPosition position = new LogPosition(1, entries.size() + 1L, entries.size() + 1L);
        return new QuorumState(
                position, List.of(new QuorumState.Member(nodeId, Uuid.ZERO_UUID, position.endIndex(), 0)), List.of());
    }

    @Override
    public void close() {
        stateMachine = null;
    }
}
