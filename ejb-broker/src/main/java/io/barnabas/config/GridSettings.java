package io.barnabas.config;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * The data grid: how its members find each other ({@code barnabas.cluster.discovery}), where this one listens and what it says of itself.
 * Without that key there is none. The server starts the grid with {@link #properties}, the broker asks it. Immutable.
 *
 * @param means how members find each other
 * @param members where to look for others, as host:port; empty for multicast
 * @param group where members that use multicast call, as address:port
 * @param host address that this member listens on, and is reached at
 * @param name of the grid: members of another name are none of ours
 */
public record GridSettings(Means means, List<String> members, String group, String host, int port, String name) {
    static final String DISCOVERY = "barnabas.cluster.discovery";
    static final String ADDRESS = "barnabas.cluster.address";
    static final String NAME = "barnabas.cluster.name";

    /** Of a member: its node's id. */
    public static final String NODE = "barnabas.node";
    /** Of a member that votes on metadata: all voters, as {@code controller.quorum.voters} names them to it. */
    public static final String VOTERS = "barnabas.voters";

    private static final Pattern MEMBER = Pattern.compile("(\\[[0-9a-fA-F:.%]+\\]|[0-9a-zA-Z\\-._]+)(?::(\\d{1,5}))?");
    private static final Pattern GROUP = Pattern.compile("(\\d{1,3}(?:\\.\\d{1,3}){3}):(\\d{1,5})");
    private static final String DEFAULT_GROUP = "224.2.2.3:54327";
    private static final int PORT_MAX = 65535;
    private static final int MEMBERS_MAX = 64;

    /** How members find each other. */
    public enum Means {
        /** By a list of addresses. */
        TCPIP,
        /** By a name: whatever addresses the name server has for it. */
        DNS,
        /** By calling. */
        MULTICAST
    }

    /** @return null if there is to be no grid */
    static @Nullable GridSettings of(BrokerConfig config) {
        @Nullable String told = config.getStringOrNull(DISCOVERY);
        if (told == null || told.isBlank()) {
            return null;
        }
        String address = config.getString(ADDRESS);
        Matcher own = MEMBER.matcher(address.trim());
        if (!own.matches() || own.group(2) == null || bare(own.group(1)).matches("0\\.0\\.0\\.0|::")) {
            throw new ConfigException(
                    ADDRESS, address, "Must be host:port, an address where the other members reach this one");
        }
        int port = port(ADDRESS, address, own.group(2));
        String[] parts = told.trim().split(":", 2);
        String rest = parts.length == 1 ? "" : parts[1].trim();
        String name = config.getString(NAME);
        String host = bare(own.group(1));
        return switch (parts[0].trim()) {
            case "tcpip" -> new GridSettings(Means.TCPIP, members(told, rest, port), DEFAULT_GROUP, host, port, name);
            case "dns" -> new GridSettings(Means.DNS, members(told, rest, port), DEFAULT_GROUP, host, port, name);
            case "multicast" -> new GridSettings(Means.MULTICAST, List.of(), group(told, rest), host, port, name);
            default ->
                throw new ConfigException(
                        DISCOVERY,
                        told,
                        "Must be tcpip:HOST:PORT,... or dns:HOST:PORT,... or multicast, or multicast:GROUP:PORT");
        };
    }

    private static List<String> members(String told, String list, int ownPort) {
        List<String> members = Stream.of(list.split(","))
                .map(String::trim)
                .filter(member -> !member.isEmpty())
                .map(member -> member(told, member, ownPort))
                .distinct()
                .toList();
        if (members.isEmpty() || members.size() > MEMBERS_MAX) {
            throw new ConfigException(DISCOVERY, told, "Must name from 1 to " + MEMBERS_MAX + " members");
        }
        return members;
    }

    private static String member(String told, String member, int ownPort) {
        Matcher m = MEMBER.matcher(member);
        if (!m.matches()) {
            throw new ConfigException(DISCOVERY, told, "Not a member's host or host:port: " + member);
        }
        return m.group(1) + ":" + (m.group(2) == null ? ownPort : port(DISCOVERY, told, m.group(2)));
    }

    private static String group(String told, String text) {
        Matcher m = GROUP.matcher(text.isEmpty() ? DEFAULT_GROUP : text);
        if (!m.matches()) {
            throw new ConfigException(DISCOVERY, told, "Not a group's address:port: " + text);
        }
        return m.group(1) + ":" + port(DISCOVERY, told, m.group(2));
    }

    private static int port(String key, String told, String text) {
        int port = Integer.parseInt(text);
        if (port < 1 || port > PORT_MAX) {
            throw new ConfigException(key, told, "A port must be between 1 and " + PORT_MAX);
        }
        return port;
    }

    private static String bare(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** What the server's hazelcast.xml asks for, by the names that it has there. */
    Map<String, String> properties(BrokerConfig config) {
        Map<String, String> properties = new HashMap<>();
        properties.put("barnabas.grid.name", name);
        properties.put("barnabas.grid.host", host);
        properties.put("barnabas.grid.port", Integer.toString(port));
        properties.put("barnabas.grid.multicast", Boolean.toString(means == Means.MULTICAST));
        properties.put("barnabas.grid.tcpip", Boolean.toString(means != Means.MULTICAST));
        properties.put("barnabas.grid.members", String.join(",", members));
        int colon = group.lastIndexOf(':');
        properties.put("barnabas.grid.group", group.substring(0, colon));
        properties.put("barnabas.grid.group.port", group.substring(colon + 1));
        properties.put("barnabas.grid.node", Integer.toString(config.nodeId()));
        boolean votes = config.quorumVoters().stream().anyMatch(voter -> voter.nodeId() == config.nodeId());
        properties.put("barnabas.grid.voters", votes ? text(config.quorumVoters()) : "");
        properties.put("barnabas.grid.seeks", Boolean.toString(config.seeksVoters()));
        @Nullable Path key = config.clusterKey();
        if (key != null) {
            properties.put("barnabas.grid.key", key.toString());
        }
        return properties;
    }

    private static String text(List<QuorumVoter> voters) {
        return voters.stream().map(QuorumVoter::toString).collect(Collectors.joining(","));
    }
}
