package io.barnabas.ejb;

import com.hazelcast.cluster.MembershipEvent;
import com.hazelcast.cluster.MembershipListener;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceNotActiveException;
import io.barnabas.config.BrokerConfig;
import io.barnabas.grid.Grid;
import io.barnabas.grid.GridMember;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The container's data grid, which is there some time after the application, or never: it is looked up whenever it is asked for, until it is
 * found. Of Hazelcast only the list of members is used. Any thread.
 */
final class HazelcastGrid implements Grid, MembershipListener {
    private static final Logger LOG = LoggerFactory.getLogger(HazelcastGrid.class);
    private static final String NAME = "payara/Hazelcast";

    private final List<IntConsumer> told = new CopyOnWriteArrayList<>();
    private volatile @Nullable HazelcastInstance found;

    private HazelcastGrid() {}

    /** The grid that a configuration asks for. */
    static Grid of(BrokerConfig config) {
        return config.grid() == null ? Grid.NONE : new HazelcastGrid();
    }

    @Override
    public List<GridMember> members() {
        @Nullable HazelcastInstance instance = instance();
        if (instance == null) {
            return List.of();
        }
        try {
            return instance.getCluster().getMembers().stream() // in the order in which they came
                    .map(member -> GridMember.of(member.getAttributes()))
                    .flatMap(Optional::stream)
                    .toList();
        } catch (HazelcastInstanceNotActiveException e) { // it stops
            return List.of();
        }
    }

    @Override
    public void onLeft(IntConsumer listener) {
        told.add(listener);
    }

    private @Nullable HazelcastInstance instance() {
        @Nullable HazelcastInstance known = found;
        return known == null ? find() : known;
    }

    @SuppressWarnings("BanJNDI") // the name is the container's, not a caller's
    private synchronized @Nullable HazelcastInstance find() {
        if (found == null) {
            try {
                HazelcastInstance instance = (HazelcastInstance) new InitialContext().lookup(NAME);
                instance.getCluster().addMembershipListener(this);
                found = instance;
                tell();
            } catch (NamingException | HazelcastInstanceNotActiveException e) {
                LOG.debug("The data grid is not there", e);
            }
        }
        return found;
    }

    private void tell() {
        LOG.info(
                "Nodes in the data grid, the oldest member first: {}",
                members().stream().map(GridMember::nodeId).toList());
    }

    @Override
    public void memberAdded(MembershipEvent event) {
        tell();
    }

    @Override
    public void memberRemoved(MembershipEvent event) {
        tell();
        GridMember.of(event.getMember().getAttributes())
                .ifPresent(left -> told.forEach(listener -> listener.accept(left.nodeId())));
    }
}
