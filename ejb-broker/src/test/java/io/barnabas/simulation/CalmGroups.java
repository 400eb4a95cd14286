package io.barnabas.simulation;

import io.barnabas.coordinator.group.ClientInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.jspecify.annotations.Nullable;

/** Groups as they were described when nothing happened any more that may change them: after the next start they must be the same. */
final class CalmGroups {
    private static final ClientInfo CLIENT = new ClientInfo((short) 9, "client", "/h");

    private final BrokerSimulation world;
    private final Map<String, DescribedGroup> described = new HashMap<>();
    private boolean troubled; // the disk has failed since the start
    private long disturbances; // what may change a group, and may overtake the answer that describes it

    CalmGroups(BrokerSimulation world) {
        this.world = world;
    }

    void onStart() {
        troubled = false;
    }

    /** The disk may fail from now on: a group that fell apart may not have been written. */
    void onTrouble() {
        troubled = true;
    }

    /** What the group looks like may change from now on. */
    void disturbed(String group) {
        disturbances++;
        described.remove(group);
    }

    /** The same of all. */
    void disturbed() {
        disturbances++;
        forget();
    }

    void forget() {
        described.clear();
    }

    /** Remembers them as they are, those that are at rest. */
    void describe(List<String> groups) {
        forget();
        SimulatedNode node = world.node();
        if (troubled || node.threads.isBusy(SimulatedNode.COORDINATOR)) {
            return; // or a time-out is due and has yet to run
        }
        long before = disturbances;
        for (String group : groups) {
            world.expect(node.groups.describe(CLIENT, List.of(group)))
                    .whenComplete(world.whileAlive((answer, error) -> {
                        DescribedGroup now = answer.get(0);
                        if (before == disturbances && now.errorCode() == 0 && isAtRest(now)) {
                            described.put(group, now);
                        }
                    }));
        }
    }

    private boolean isAtRest(DescribedGroup group) {
        boolean empty =
                group.groupState().equals("Empty") && !world.node().writer.hasRefused();
        return group.groupState().equals("Stable") || empty;
    }

    /** As it was described; null if that says nothing any more. */
    @Nullable
    DescribedGroup was(String group) {
        return described.get(group);
    }
}
