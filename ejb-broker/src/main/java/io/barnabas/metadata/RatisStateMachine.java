package io.barnabas.metadata;

import java.io.BufferedInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * Ratis's view of a {@link MetadataLog.StateMachine}: hands on what is committed, keeps its snapshots as files. Entries and snapshots
 * come on Ratis's one updater thread, elections on others.
 */
final class RatisStateMachine extends BaseStateMachine {
    static final Message TOOK_EFFECT = Message.valueOf(ByteString.copyFrom(new byte[] {1}));
    static final Message VOID = Message.valueOf(ByteString.copyFrom(new byte[] {0}));

    private final MetadataLog.StateMachine machine;
    private final int nodeId;
    private final Object leadership = new Object();
    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();

    RatisStateMachine(MetadataLog.StateMachine machine, int nodeId) {
        this.machine = machine;
        this.nodeId = nodeId;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage) throws IOException {
        super.initialize(server, groupId, raftStorage);
        // A leader's snapshot is only taken in by a machine that runs, as it must first be able to pause.
        getLifeCycle()
                .startAndTransition(
                        () -> {
                            storage.init(raftStorage);
                            restore(storage.getLatestSnapshot());
                        },
                        IOException.class);
    }

    @Override
    public void pause() {
        getLifeCycle().transitionIfNotEqual(LifeCycle.State.PAUSING);
        getLifeCycle().transitionIfNotEqual(LifeCycle.State.PAUSED);
    }

    @Override
    public void reinitialize() throws IOException {
        restore(storage.loadLatestSnapshot());
        if (getLifeCycleState() == LifeCycle.State.PAUSED) {
            getLifeCycle().transition(LifeCycle.State.STARTING);
            getLifeCycle().transition(LifeCycle.State.RUNNING);
        }
    }

    private void restore(@Nullable SingleFileSnapshotInfo snapshot) throws IOException {
        if (snapshot == null) {
            return;
        }
        File file = snapshot.getFile().getPath().toFile();
        TermIndex last = SimpleStateMachineStorage.getTermIndexFromSnapshotFile(file);
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file.toPath()))) {
            machine.restore(last.getIndex(), in);
        } catch (IOException e) {
            throw new IOException("The metadata snapshot " + file + " cannot be read: " + e.getMessage(), e);
        }
        setLastAppliedTermIndex(last);
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        LogEntryProto entry = transaction.getLogEntry();
        try {
            boolean tookEffect = machine.apply(
                    entry.getIndex(),
                    entry.getStateMachineLogEntry().getLogData().toByteArray());
            updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
            return CompletableFuture.completedFuture(tookEffect ? TOOK_EFFECT : VOID);
        } catch (Throwable e) {
            machine.onFailure(e);
            throw e;
        }
    }

    /** A snapshot is whole and forced, or not there: Ratis deletes log segments in reliance on it. */
    @Override
    public long takeSnapshot() throws IOException {
        TermIndex last = getLastAppliedTermIndex();
        if (last == null || last.getIndex() < 0) {
            return -1;
        }
        Path file = storage.getSnapshotFile(last.getTerm(), last.getIndex()).toPath();
        DurableFile.write(file, machine::writeSnapshot);
        FileInfo info = new FileInfo(file, MD5FileUtil.computeAndSaveMd5ForFile(file.toFile()));
        storage.updateLatestSnapshot(new SingleFileSnapshotInfo(info, last));
        return last.getIndex();
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return storage;
    }

    @Override
    public void notifyLeaderReady() {
        tellLeader();
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId member, RaftPeerId leader) {
        tellLeader();
    }

    @Override
    public void notifyNotLeader(Collection<TransactionContext> pending) {
        tellLeader();
    }

    /**
     * News come from several threads, and may overtake each other; each is taken as the occasion to look at what is true now. This node
     * leads once it has applied an entry of its own term, and so all that was committed before.
     */
    private void tellLeader() {
        synchronized (leadership) {
            machine.onLeader(leader());
        }
    }

    private int leader() {
        DivisionInfo info;
        try {
            info = getServer().join().getDivision(getGroupId()).getInfo();
        } catch (IOException e) { // it closes
            return MetadataLog.NO_LEADER;
        }
        if (info.isLeader()) {
            return info.isLeaderReady() ? nodeId : MetadataLog.NO_LEADER;
        }
        RaftPeerId leader = info.getLeaderId();
        int node = leader == null || leader.toString().isEmpty()
                ? MetadataLog.NO_LEADER
                : RatisConfiguration.nodeId(leader);
        return node == nodeId ? MetadataLog.NO_LEADER : node; // it did lead, and Ratis is about to forget it
    }

    @Override
    public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto entry) {
        machine.onFailure(cause);
    }
}
