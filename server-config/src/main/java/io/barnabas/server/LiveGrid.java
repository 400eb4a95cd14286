package io.barnabas.server;

import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** The grid's member in this process, while it runs: the only class of the launcher's that needs Hazelcast, which is loaded with it. */
final class LiveGrid {
    private LiveGrid() {}

    /**
     * Has the member look there when it looks for others the next time, which it does every ten seconds while it is the oldest of those it
     * has found.
     *
     * @param addresses as ADDRESS:PORT
     * @return whether there is a member
     */
    static boolean lookAt(Collection<String> addresses) {
        Set<HazelcastInstance> members = Hazelcast.getAllHazelcastInstances();
        for (HazelcastInstance member : members) {
            member.getConfig()
                    .getAdvancedNetworkConfig()
                    .getJoin()
                    .getTcpIpConfig()
                    .setMembers(List.copyOf(addresses));
        }
        return !members.isEmpty();
    }
}
