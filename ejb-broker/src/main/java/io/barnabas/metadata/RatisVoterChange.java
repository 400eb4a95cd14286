package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.DuplicateVoterException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.VoterNotFoundException;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;

/**
 * Which voters and observers there are to be after one is added or taken out: one at a time, and only nodes that {@code controller.quorum.voters}
 * names can vote. Decided on the leader; Ratis refuses it if the voters have changed meanwhile, and before a change is done it begins no other.
 */
record RatisVoterChange(RatisConfiguration configuration, RatisSettings settings, RatisMembers members) {
    /** Each costs the leader a thread and a connection. */
    private static final int OBSERVERS_MAX = 100;

    /**
     * Adds a node with its present directory. It takes the place of a former directory of the same node, if that no longer answers.
     *
     * @throws DuplicateVoterException if it votes already, or its former directory does
     * @throws InvalidRequestException if the node is not configured as a voter
     */
    SetConfigurationRequest.Arguments add(int nodeId, Uuid directoryId) {
        RatisSettings.Voter voter = settings.voters().stream()
                .filter(each -> each.nodeId() == nodeId)
                .findFirst()
                .orElseThrow(() ->
                        new InvalidRequestException("Node " + nodeId + " is not named in controller.quorum.voters"));
        List<RaftPeer> voters = new ArrayList<>();
        for (RaftPeer each : members.voters()) {
            if (RatisConfiguration.nodeId(each.getId()) != nodeId) {
                voters.add(each);
            } else if (RatisConfiguration.directoryId(each.getId()).equals(directoryId) || members.runs(each.getId())) {
                throw new DuplicateVoterException("Node " + nodeId + " is a voter with directory "
                        + RatisConfiguration.directoryId(each.getId()));
            }
        }
        voters.add(RatisConfiguration.peer(voter.inDirectory(directoryId)));
        return to(voters);
    }

    /**
     * Takes a voter out.
     *
     * @throws VoterNotFoundException if there is none of this node and directory
     * @throws InvalidRequestException if less than a majority of those that are left would run
     */
    SetConfigurationRequest.Arguments remove(int nodeId, Uuid directoryId) {
        List<RaftPeer> voters = new ArrayList<>(members.voters());
        RaftPeerId id = RatisConfiguration.peerId(new RatisSettings.Voter(nodeId, "", 0, directoryId));
        if (!voters.removeIf(each -> each.getId().equals(id))) {
            throw new VoterNotFoundException("Node " + nodeId + " with directory " + directoryId + " is not a voter");
        }
        long running =
                voters.stream().filter(each -> members.runs(each.getId())).count();
        if (2 * running <= voters.size()) {
            throw new InvalidRequestException("Only " + running + " of the " + voters.size()
                    + " voters that would be left are running: they could not agree on anything");
        }
        return to(voters);
    }

    /**
     * Lets a node without a vote have the log; with another directory than before it takes its own place. A voter that lost its directory is
     * one of those: its former self, which does not answer, still counts as a voter until it is replaced.
     *
     * @throws DuplicateVoterException if the node votes, or its former self answers
     * @throws InvalidRequestException if there are too many already
     */
    SetConfigurationRequest.Arguments observe(RatisSettings.Voter node) {
        if (members.voters().stream().anyMatch(each -> isVoting(each, node))) {
            throw new DuplicateVoterException("Node " + node.nodeId() + " is a voter");
        }
        List<RaftPeer> observers = new ArrayList<>(members.observers());
        observers.removeIf(each -> RatisConfiguration.nodeId(each.getId()) == node.nodeId());
        if (observers.size() >= OBSERVERS_MAX) {
            throw new InvalidRequestException("There are " + observers.size() + " observers already");
        }
        observers.add(configuration.observer(node));
        return to(List.copyOf(members.voters()), observers);
    }

    private boolean isVoting(RaftPeer voter, RatisSettings.Voter node) {
        return RatisConfiguration.nodeId(voter.getId()) == node.nodeId()
                && (RatisConfiguration.directoryId(voter.getId()).equals(node.directoryId())
                        || members.runs(voter.getId()));
    }

    /**
     * A node without a vote has left the cluster.
     *
     * @throws VoterNotFoundException if the log is not sent to it
     */
    SetConfigurationRequest.Arguments forget(int nodeId) {
        List<RaftPeer> observers = new ArrayList<>(members.observers());
        if (!observers.removeIf(each -> RatisConfiguration.nodeId(each.getId()) == nodeId)) {
            throw new VoterNotFoundException("Node " + nodeId + " is no observer");
        }
        return to(List.copyOf(members.voters()), observers);
    }

    private SetConfigurationRequest.Arguments to(List<RaftPeer> voters) {
        Set<RaftPeerId> voting = voters.stream().map(RaftPeer::getId).collect(Collectors.toSet());
        return to(
                voters,
                members.observers().stream()
                        .filter(each -> !voting.contains(each.getId()))
                        .toList());
    }

    private SetConfigurationRequest.Arguments to(List<RaftPeer> voters, List<RaftPeer> observers) {
        return SetConfigurationRequest.Arguments.newBuilder()
                .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                .setServersInCurrentConf(List.copyOf(members.voters()))
                .setListenersInCurrentConf(List.copyOf(members.observers()))
                .setServersInNewConf(voters)
                .setListenersInNewConf(observers)
                .build();
    }
}
