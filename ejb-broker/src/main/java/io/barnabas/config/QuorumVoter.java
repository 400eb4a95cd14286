package io.barnabas.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigException;

/**
 * A node that votes on metadata, as {@code controller.quorum.voters} names it: {@code id@host:port}. Immutable.
 *
 * @param host name or address where the other voters reach it, and which it listens on
 */
public record QuorumVoter(int nodeId, String host, int port) {
    private static final String KEY = "controller.quorum.voters";
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})@\\[?([0-9a-zA-Z\\-%._:]+?)\\]?:(\\d{1,5})");
    private static final int PORT_MAX = 65535;
    private static final Set<Integer> SIZES = Set.of(1, 3, 5);

    /** The voters that a configuration names; empty if the node is alone. */
    static List<QuorumVoter> of(BrokerConfig config) {
        List<QuorumVoter> voters = new ArrayList<>();
        List<String> texts = config.getList(KEY);
        for (String text : texts) {
            voters.add(parse(text));
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
        if (!ids.contains(config.nodeId())) {
            throw new ConfigException(
                    KEY, texts, "This node, node.id " + config.nodeId() + ", is not among the voters");
        }
        return List.copyOf(voters);
    }

    private static QuorumVoter parse(String text) {
        Matcher m = FORM.matcher(text.trim());
        if (!m.matches()) {
            throw new ConfigException(KEY, text, "A voter has the form id@host:port");
        }
        int port = Integer.parseInt(m.group(3));
        if (port < 1 || port > PORT_MAX) {
            throw new ConfigException(KEY, text, "The port must be between 1 and " + PORT_MAX);
        }
        return new QuorumVoter(Integer.parseInt(m.group(1)), m.group(2), port);
    }
}
