package io.barnabas.partition;

import io.barnabas.metadata.PartitionImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A leader's view of its partition's followers: how far each is, who is in sync, and which change of that is under way. After the fetches
 * of followers, before the high watermark, which is the least log end over the <em>maximal</em> ISR: the committed one and who is to
 * come in (I8).
 *
 * <p>Threads: any, under its own monitor, in which nothing else is called but a look at the metadata.
 */
final class Replicas {
    private static final int NO_EPOCH = -1;

    private final ReplicaTerms terms;
    private final TopicPartition partition;
    private final Uuid topicId;
    private final Map<Integer, ReplicaState> followers = new TreeMap<>();
    private @Nullable PartitionImage image; // null while this broker does not lead
    private long epochStart;
    private @Nullable IsrProposal pending;

    Replicas(ReplicaTerms terms, TopicPartition partition, Uuid topicId) {
        this.terms = terms;
        this.partition = partition;
        this.topicId = topicId;
    }

    /** This broker leads under the image's epoch, which began at {@code start}: nothing is known of the followers. */
    synchronized void onLeading(PartitionImage now, long start) {
        image = now;
        epochStart = start;
        pending = null;
        followers.clear();
        addFollowers(now);
    }

    /** The replicas or their ISR changed within the epoch. What was proposed on top of an older state is settled: done or void. */
    synchronized void onChange(PartitionImage now) {
        image = now;
        if (pending != null && pending.partitionEpoch() < now.partitionEpoch()) {
            pending = null;
        }
        followers.keySet().retainAll(now.replicas());
        addFollowers(now);
    }

    private void addFollowers(PartitionImage now) {
        long nowMs = terms.nowMs();
        for (int id : now.replicas()) {
            if (id != terms.brokerId() && !followers.containsKey(id)) {
                followers.put(id, new ReplicaState(id, now.isr().contains(id), nowMs));
            }
        }
    }

    /** This broker leads no longer. */
    synchronized void onResigned() {
        image = null;
        pending = null;
        followers.clear();
    }

    /**
     * Takes note of where a follower is.
     *
     * @param leaderEnd the leader's log end offset
     * @return false if the fetch is of another leader epoch, of no follower, or of an earlier life of its broker
     */
    synchronized boolean onFetch(FollowerFetch fetch, int epoch, long leaderEnd) {
        @Nullable ReplicaState follower = epoch == epoch() ? followers.get(fetch.brokerId()) : null;
        if (follower == null || fetch.brokerEpoch() < follower.brokerEpoch()) {
            return false;
        }
        follower.onFetch(fetch, leaderEnd, terms.nowMs());
        return true;
    }

    private int epoch() {
        return image == null ? NO_EPOCH : image.leaderEpoch();
    }

    /**
     * The offset up to which every replica that counts has the log: those of the maximal ISR, and those that keep pace and will be in it
     * soon, or they would run after the high watermark for ever.
     *
     * @param leaderEnd as far as the leader's own log counts
     */
    synchronized long committable(long leaderEnd) {
        long least = leaderEnd;
        long nowMs = terms.nowMs();
        for (ReplicaState follower : followers.values()) {
            if (follower.logEndOffset() < least
                    && (isInMaximalIsr(follower.brokerId()) || joins(follower, leaderEnd, nowMs))) {
                least = follower.logEndOffset();
            }
        }
        return least;
    }

    private boolean joins(ReplicaState follower, long leaderEnd, long nowMs) {
        return follower.caughtUpWithin(terms.lagMaxMs(), leaderEnd, nowMs)
                && terms.mayBeInSync(follower.brokerId(), follower.brokerEpoch());
    }

    private boolean isInMaximalIsr(int brokerId) {
        return isInIsr(brokerId) || (pending != null && pending.has(brokerId));
    }

    private boolean isInIsr(int brokerId) {
        return image != null && image.isr().contains(brokerId);
    }

    /** Whether a replica that has just fetched should come into the ISR. */
    synchronized boolean shouldJoin(int brokerId, long highWatermark) {
        @Nullable ReplicaState follower = followers.get(brokerId);
        return pending == null && follower != null && !isInIsr(brokerId) && mayJoin(follower, highWatermark);
    }

    private boolean mayJoin(ReplicaState follower, long highWatermark) {
        return InSyncReplicas.mayJoin(follower, highWatermark, epochStart)
                && terms.mayBeInSync(follower.brokerId(), follower.brokerEpoch());
    }

    /**
     * The ISR as it should be, if that is another than it is and no change is under way; from now on it is.
     *
     * @param leaderEnd the leader's log end offset
     */
    synchronized @Nullable IsrProposal propose(long highWatermark, long leaderEnd) {
        @Nullable PartitionImage now = image;
        if (now == null || pending != null) {
            return null;
        }
        long nowMs = terms.nowMs();
        List<IsrProposal.Member> isr = new ArrayList<>();
        boolean differs = false;
        for (int id : now.replicas()) {
            boolean was = now.isr().contains(id);
            boolean shall = was;
            @Nullable ReplicaState follower = followers.get(id);
            if (follower != null) {
                shall = was
                        ? follower.caughtUpWithin(terms.lagMaxMs(), leaderEnd, nowMs)
                        : mayJoin(follower, highWatermark);
            }
            differs |= was != shall;
            if (shall) {
                isr.add(new IsrProposal.Member(id, brokerEpoch(id, follower)));
            }
        }
        if (!differs) {
            return null;
        }
        boolean shrinks = isr.size() < now.isr().size();
        pending = new IsrProposal(partition, topicId, now.leaderEpoch(), now.partitionEpoch(), isr, shrinks);
        return pending;
    }

    /** Whether a replica without which nothing is committed has not fetched for that long. */
    synchronized boolean lacks(long ms) {
        long nowMs = terms.nowMs();
        return followers.values().stream()
                .anyMatch(follower -> isInMaximalIsr(follower.brokerId()) && !follower.fetchedWithin(ms, nowMs));
    }

    /** Of a member that has not fetched yet the metadata tell, with which the controller compares the partition's epoch. */
    private long brokerEpoch(int id, @Nullable ReplicaState follower) {
        return follower == null || follower.brokerEpoch() < 0 ? terms.brokerEpoch(id) : follower.brokerEpoch();
    }

    /** The least log start of the leader and of followers whose brokers are in service; -1 while one of them has not told its own. */
    synchronized long lowWatermark(long leadersStart) {
        long least = leadersStart;
        for (ReplicaState follower : followers.values()) {
            if (follower.logStartOffset() < least && terms.inService(follower.brokerId())) {
                least = follower.logStartOffset();
            }
        }
        return least;
    }

    synchronized List<Followers.ReadableReplica> readableAt(long offset) {
        List<Followers.ReadableReplica> readable = new ArrayList<>();
        for (ReplicaState follower : followers.values()) {
            if (isInIsr(follower.brokerId())
                    && follower.logEndOffset() >= offset
                    && follower.logStartOffset() <= offset) {
                readable.add(new Followers.ReadableReplica(
                        follower.brokerId(), follower.logEndOffset(), follower.behindMs(terms.nowMs())));
            }
        }
        return readable;
    }

    /** The change that is under way, to be asked for again. */
    synchronized @Nullable IsrProposal pending() {
        return pending;
    }

    /** The controller has refused the proposal for good: the ISR is what it was. */
    synchronized void onRefused(IsrProposal proposal) {
        if (proposal.equals(pending)) {
            pending = null;
        }
    }
}
