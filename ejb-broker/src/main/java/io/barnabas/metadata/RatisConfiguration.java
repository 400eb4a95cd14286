package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** {@link RatisSettings} in Ratis's words: each setting that differs from Ratis's own choice says why. */
final class RatisConfiguration {
    /** A Raft entry is our bytes and Ratis's header of them. */
    private static final SizeInBytes ENTRY_BYTES_MAX = SizeInBytes.valueOf(MetadataEntry.BYTES_MAX + 64 * 1024L);

    private static final char DIRECTORY_MARK = '.';

    private final RatisSettings settings;

    RatisConfiguration(RatisSettings settings) {
        this.settings = settings;
    }

    /** Node and directory: a node with a new directory is another member to Ratis. A lone voter has the node's id alone. */
    static RaftPeerId peerId(RatisSettings.Voter voter) {
        String node = Integer.toString(voter.nodeId());
        return RaftPeerId.valueOf(
                voter.directoryId().equals(Uuid.ZERO_UUID) ? node : node + DIRECTORY_MARK + voter.directoryId());
    }

    static int nodeId(RaftPeerId id) {
        String text = id.toString();
        int mark = text.indexOf(DIRECTORY_MARK);
        return Integer.parseInt(mark < 0 ? text : text.substring(0, mark));
    }

    /** Zero if the member is a lone voter. */
    static Uuid directoryId(RaftPeerId id) {
        String text = id.toString();
        int mark = text.indexOf(DIRECTORY_MARK);
        return mark < 0 ? Uuid.ZERO_UUID : Uuid.fromString(text.substring(mark + 1));
    }

    RaftGroupId groupId() {
        return RaftGroupId.valueOf(settings.incarnation().group(settings.clusterId()));
    }

    /** The group as this node knows it at its first start; later ones, and that after a recovery by force, find it in their log. */
    RaftGroup group() {
        List<RaftPeer> peers = new ArrayList<>(
                settings.voters().stream().map(RatisConfiguration::peer).toList());
        if (settings.observes()) {
            RaftPeer self = observer(settings.self());
            peers.removeIf(each -> each.getId().equals(self.getId())); // it voted in a former incarnation
            peers.add(self);
        }
        return RaftGroup.valueOf(groupId(), peers);
    }

    static RaftPeer peer(RatisSettings.Voter voter) {
        return peer(voter, RaftPeerRole.FOLLOWER);
    }

    /** One that gets the log and has no vote, which Ratis calls a listener. */
    RaftPeer observer(RatisSettings.Voter node) {
        return peer(node, RaftPeerRole.LISTENER);
    }

    private static RaftPeer peer(RatisSettings.Voter node, RaftPeerRole role) {
        return RaftPeer.newBuilder()
                .setId(peerId(node))
                .setAddress(address(node))
                .setStartupRole(role)
                .build();
    }

    private static String address(RatisSettings.Voter voter) {
        boolean ipv6 = voter.host().indexOf(':') >= 0;
        return (ipv6 ? "[" + voter.host() + "]" : voter.host()) + ":" + voter.port();
    }

    RaftProperties properties() {
        RaftProperties properties = new RaftProperties();
        RaftServerConfigKeys.setStorageDir(
                properties, List.of(settings.directory().toFile()));
        setNetwork(properties);
        setTimes(properties);
        setLog(properties);
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, settings.snapshotEntries());
        RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(properties, true);
        RaftServerConfigKeys.Snapshot.setCreationGap(properties, 0);
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(properties, 2);
        return properties;
    }

    private void setNetwork(RaftProperties properties) {
        RaftConfigKeys.Rpc.setType(properties, new PromptAppender.Rpc());
        // Without a host Ratis binds every address.
        GrpcConfigKeys.Server.setHost(properties, settings.self().host());
        GrpcConfigKeys.Server.setPort(properties, settings.self().port());
    }

    private void setTimes(RaftProperties properties) {
        RaftServerConfigKeys.Rpc.setTimeoutMin(properties, ms(settings.electionTimeoutMs()));
        RaftServerConfigKeys.Rpc.setTimeoutMax(properties, ms(settings.electionTimeoutMs() * 4L / 3));
        if (settings.alone()) {
            // Nobody else could lead: no reason to wait at start.
            RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, ms(1));
            RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, ms(2));
            RaftServerConfigKeys.LeaderElection.setPreVote(properties, false);
        } else {
            RaftServerConfigKeys.LeaderElection.setPreVote(properties, true);
            // At the start nobody else leads, or it says so by its heartbeats; a candidate asks before it stands.
            RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, ms(settings.electionTimeoutMs() / 3));
            RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, ms(settings.electionTimeoutMs() / 2));
            // A leader that lost its majority does not stand again for this long; ten seconds by default, in which a
            // quorum of two that has just found together again would have no leader at all.
            RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(
                    properties, ms(2L * settings.electionTimeoutMs()));
        }
        // By default Ratis shuts itself down for good after a pause of 60 s: a suspended machine must simply go on.
        RaftServerConfigKeys.setCloseThreshold(properties, TimeDuration.valueOf(36_500, TimeUnit.DAYS));
    }

    private static void setLog(RaftProperties properties) {
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, ENTRY_BYTES_MAX);
        // How soon a voter that is back is tried again; after thirty failures it would be every five seconds.
        RaftServerConfigKeys.Log.Appender.setRetryPolicy(properties, "1ms,10, 100ms," + Integer.MAX_VALUE);
        RaftServerConfigKeys.Log.setWriteBufferSize(properties, SizeInBytes.valueOf(ENTRY_BYTES_MAX.getSize() + 64));
        RaftServerConfigKeys.Log.setSegmentSizeMax(properties, SizeInBytes.valueOf("32MB"));
        // A cut last entry then ends at the end of the file, where it is known for what it is.
        RaftServerConfigKeys.Log.setPreallocatedSize(properties, SizeInBytes.ZERO);
        // One forced write a command and not two: the commit index is known again when the leader's first entry is
        // committed.
        RaftServerConfigKeys.Log.setLogMetadataEnabled(properties, false);
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
        RaftServerConfigKeys.Log.setPurgeGap(properties, 1);
    }

    private static TimeDuration ms(long millis) {
        return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
    }
}
