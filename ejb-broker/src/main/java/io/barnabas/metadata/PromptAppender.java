package io.barnabas.metadata;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcFactory;
import org.apache.ratis.grpc.server.GrpcLogAppender;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.server.leader.LeaderState;
import org.apache.ratis.server.leader.LogAppender;
import org.apache.ratis.util.AwaitForSignal;
import org.apache.ratis.util.ReflectionUtils;

/**
 * Brings the leader's entries to one follower, as Ratis does, and three things more promptly:
 *
 * <ul>
 *   <li>An entry whose answer was lost with the connection is sent again. Ratis takes it for sent, and the follower's answer to a
 *       heartbeat does not say that it has it: it is counted only with the next entry. If the first entry of a leader is such a one, and
 *       the third voter is away, there is never a next one: the leader takes no change before it has committed the first.
 *   <li>A follower hears at once of what is committed, and not with the next heartbeat.
 *   <li>What comes while the appender is busy is sent right after. Ratis forgets a signal for which nobody waits in that moment, and the
 *       entry would go with the next heartbeat.
 * </ul>
 *
 * <p>Thread: the appender's own, but {@link #shouldSendAppendEntries} may be asked by any.
 */
final class PromptAppender extends GrpcLogAppender {
    /** Ratis's gRPC with these appenders; Ratis makes it, by its name. */
    static final class Rpc implements RpcType {
        static {
            // Ratis looks names up with the class loader of whoever used it first; this lets it know the class.
            ReflectionUtils.getClassByNameOrNull(Rpc.class.getName(), Rpc.class.getClassLoader());
        }

        @Override
        public String name() {
            return Rpc.class.getName();
        }

        @Override
        public RpcFactory newFactory(Parameters parameters) {
            return new GrpcFactory(parameters) {
                @Override
                public LogAppender newLogAppender(
                        RaftServer.Division server, LeaderState state, FollowerInfo follower) {
                    return new PromptAppender(server, state, follower);
                }
            };
        }
    }

    /** A signal that came while nobody waited is had by who waits next. */
    private static final class KeptSignal extends AwaitForSignal {
        private final Semaphore kept = new Semaphore(0);

        KeptSignal(Object name) {
            super(name);
        }

        @Override
        public void await() throws InterruptedException {
            kept.acquire();
            kept.drainPermits();
        }

        @Override
        public boolean await(long time, TimeUnit unit) throws InterruptedException {
            boolean signaled = kept.tryAcquire(time, unit);
            kept.drainPermits();
            return signaled;
        }

        @Override
        public void signal() {
            if (kept.availablePermits() == 0) {
                kept.release();
            }
        }
    }

    /** The highest commit index that the follower was told; only to not tell it twice. */
    private volatile long told = -1;

    private final AwaitForSignal signal = new KeptSignal(this);

    private PromptAppender(RaftServer.Division server, LeaderState state, FollowerInfo follower) {
        super(server, state, follower);
    }

    @Override
    public AwaitForSignal getEventAwaitForSignal() {
        return signal;
    }

    @Override
    public boolean shouldSendAppendEntries() {
        if (getHeartbeatWaitTimeMs() <= 0 && lastAnswerIsLost()) {
            getFollower().setNextIndex(getFollower().getNextIndex() - 1);
        }
        long committed =
                Math.min(getRaftLog().getLastCommittedIndex(), getFollower().getMatchIndex());
        if (committed > told && committed > getFollower().getCommitIndex()) {
            told = committed;
            triggerHeartbeat();
        }
        return super.shouldSendAppendEntries();
    }

    /** All was sent, nothing is under way, and still the follower is not known to have all. */
    private boolean lastAnswerIsLost() {
        FollowerInfo follower = getFollower();
        long next = follower.getNextIndex();
        return !hasPendingDataRequests()
                && next == getRaftLog().getNextIndex()
                && next > getRaftLog().getStartIndex()
                && next > Math.max(follower.getMatchIndex(), follower.getCommitIndex()) + 1
                && getPrevious(next - 1) != null;
    }
}
