package io.barnabas.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * A node that votes on metadata, as {@code controller.quorum.voters} names it: {@code id@host:port}. Immutable.
 *
 * @param host name or address where the other voters reach it, and which it listens on
 */
public record QuorumVoter(int nodeId, String host, int port) {
    private static final String KEY = "controller.quorum.voters";
    private static final String ADDRESS = "barnabas.quorum.address";
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})@\\[?([0-9a-zA-Z\\-%._:]+?)\\]?:(\\d{1,5})");
    private static final int PORT_MAX = 65535;
    private static final Set<Integer> SIZES = Set.of(1, 3, 5);

    /** The voters that a configuration names; empty if the node is alone, without it if it has no vote. */
    static List<QuorumVoter> of(BrokerConfig config) {
        List<QuorumVoter> voters = new ArrayList<>();
        List<String> texts = config.getList(KEY);
        for (String text : texts) {
            voters.add(parse(KEY, text));
        }
        if (voters.isEmpty()) {
            return List.of();
        }
        Set<Integer> ids = new HashSet<>();
        Set<String> addresses = new HashSet<>();
        for (QuorumVoter voter : voters) {
            if (!ids.add(voter.nodeId)) {
                throw new ConfigException(KEY, texts, "Node " + voter.nodeId + " is named twice");
            }
            if (!addresses.add(voter.host + ":" + voter.port)) {
                throw new ConfigException(KEY, texts, "Two voters have the address " + voter.host + ":" + voter.port);
            }
        }
        if (!SIZES.contains(voters.size())) {
            throw new ConfigException(KEY, texts, "There must be 1, 3 or 5 voters, not " + voters.size());
        }
        return List.copyOf(voters);
    }

    /**
     * Voters as another node names them.
     *
     * @throws ConfigException if there are none, or the text is not of that form
     */
    public static List<QuorumVoter> parse(String text) {
        return Stream.of(text.split(",")).map(one -> parse(KEY, one)).toList();
    }

    @Override
    public String toString() {
        return nodeId + "@" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    /** Where this node is sent the metadata log: its place among the voters, or that of a node without a vote. */
    static QuorumVoter self(BrokerConfig config, Listeners listeners) {
        for (QuorumVoter voter : config.quorumVoters()) {
            if (voter.nodeId == config.nodeId()) {
                return voter;
            }
        }
        @Nullable String told = config.getStringOrNull(ADDRESS);
        if (told != null) {
            return parse(ADDRESS, config.nodeId() + "@" + told);
        }
        for (Listeners.Endpoint endpoint : listeners.advertised()) {
            if (endpoint.name().equals(listeners.interBroker()) && endpoint.port() > 0) {
                return new QuorumVoter(config.nodeId(), endpoint.host(), endpoint.port() + 1);
            }
        }
        throw new ConfigException(ADDRESS + " must be set: this node has no vote, and no fixed port for other brokers");
    }

    private static QuorumVoter parse(String key, String text) {
        Matcher m = FORM.matcher(text.trim());
        if (!m.matches()) {
            throw new ConfigException(key, text, "A voter has the form id@host:port");
        }
        int port = Integer.parseInt(m.group(3));
        if (port < 1 || port > PORT_MAX) {
            throw new ConfigException(key, text, "The port must be between 1 and " + PORT_MAX);
        }
        return new QuorumVoter(Integer.parseInt(m.group(1)), m.group(2), port);
    }
}
