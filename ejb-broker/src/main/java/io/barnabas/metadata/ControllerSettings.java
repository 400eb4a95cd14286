package io.barnabas.metadata;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.config.QuorumVoter;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the controller goes by.
 *
 * @param sessionTimeoutMs time without a heartbeat after which a broker is fenced
 * @param balances whether leadership is given back to preferred replicas by itself
 * @param balanceMs time between two looks at that
 * @param uncleanMs time between two looks for partitions that prefer any leader to none
 * @param voters ids of the nodes that are to vote on metadata, brokers or not; none if this one is alone
 */
public record ControllerSettings(
        PartitionRules rules,
        long sessionTimeoutMs,
        boolean balances,
        long balanceMs,
        long uncleanMs,
        Set<Integer> voters) {
    /** As configured. */
    public static ControllerSettings of(LiveConfig config) {
        BrokerConfig atStart = config.atStart();
        return new ControllerSettings(
                new PartitionRules(config),
                atStart.getInt("broker.session.timeout.ms"),
                atStart.getBoolean("auto.leader.rebalance.enable"),
                1_000 * atStart.getLong("leader.imbalance.check.interval.seconds"),
                atStart.getLong("unclean.leader.election.interval.ms"),
                atStart.quorumVoters().stream().map(QuorumVoter::nodeId).collect(Collectors.toSet()));
    }
}
