package io.barnabas.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks {@code listeners}, {@code advertised.listeners} and {@code listener.security.protocol.map}. Listeners that
 * {@code controller.listener.names} names are left out: Kafka's own quorum would listen there. Immutable.
 *
 * @param bound the sockets to open
 * @param advertised what clients are told; a port of 0 stands for the port that the system will choose
 * @param interBroker the name of the listener that brokers have for each other; null if this one has none of its own, which only a
 *     broker alone may
 */
public record Listeners(
        List<Endpoint> bound,
        List<Endpoint> advertised,
        @Nullable String interBroker) {
    private static final Pattern ENDPOINT =
            Pattern.compile("(\\w[\\w\\-]*)://\\[?([0-9a-zA-Z\\-%._:]*?)\\]?:(\\d{1,5})");
    private static final int PORT_MAX = 65535;

    /**
     * One listener.
     *
     * @param name in upper case, such as PLAINTEXT
     * @param host name or address; empty means every address
     */
    public record Endpoint(String name, SecurityProtocol protocol, String host, int port) {}

    static Listeners of(BrokerConfig config) {
        Set<String> controllers = upperCase(config.getList("controller.listener.names"));
        Map<String, SecurityProtocol> protocols = protocols(config, controllers);
        List<Endpoint> bound = endpoints("listeners", config.getList("listeners"), protocols, controllers);
        checkPortsDiffer(bound);
        if (bound.isEmpty()) {
            throw new ConfigException(
                    "listeners",
                    config.getList("listeners"),
                    "No listener is left beside those in controller.listener.names");
        }
        List<Endpoint> advertised = advertised(config, bound, protocols, controllers);
        @Nullable String interBroker = interBroker(config, bound, advertised);
        @Nullable String ofCluster = config.clusterKey() == null ? null : interBroker;
        bound = secured(bound, ofCluster);
        checkProtocols(bound, ofCluster);
        return new Listeners(bound, secured(advertised, ofCluster), interBroker);
    }

    /** With the cluster's key brokers speak TLS, whatever the map says. */
    private static List<Endpoint> secured(List<Endpoint> endpoints, @Nullable String ofCluster) {
        return endpoints.stream()
                .map(e -> e.name().equals(ofCluster)
                        ? new Endpoint(e.name(), SecurityProtocol.SSL, e.host(), e.port())
                        : e)
                .toList();
    }

    private static void checkProtocols(List<Endpoint> bound, @Nullable String ofCluster) {
        for (Endpoint e : bound) {
            if (e.protocol() != SecurityProtocol.PLAINTEXT && !e.name().equals(ofCluster)) {
                throw new ConfigException(
                        "listeners",
                        e.name() + "://" + e.host() + ":" + e.port(),
                        "Its security protocol is " + e.protocol()
                                + "; only PLAINTEXT is served so far, and between brokers SSL with barnabas.cluster.key");
            }
        }
    }

    /**
     * A broker alone may name the listener that its clients use, as a Kafka of one node does. With others there must be one beside: what
     * brokers ask of each other is not for clients.
     */
    private static @Nullable String interBroker(BrokerConfig config, List<Endpoint> bound, List<Endpoint> advertised) {
        String key = "inter.broker.listener.name";
        @Nullable String told = config.getStringOrNull(key);
        boolean alone = config.isAlone();
        if (told == null) {
            if (!alone) {
                throw new ConfigException(key + " must name the listener over which brokers talk to each other, one of "
                        + "listeners that clients do not use, because controller.quorum.voters names other nodes");
            }
            return null;
        }
        String name = told.toUpperCase(Locale.ROOT);
        if (advertised.stream().noneMatch(e -> e.name().equals(name))) {
            throw new ConfigException(
                    key, told, "Must be one of listeners, and of advertised.listeners if that is set");
        }
        if (bound.size() > 1) {
            return name;
        }
        if (!alone) {
            throw new ConfigException(
                    key, told, "Must be another listener than the clients': there is only this one in listeners");
        }
        return null;
    }

    private static List<Endpoint> advertised(
            BrokerConfig config,
            List<Endpoint> bound,
            Map<String, SecurityProtocol> protocols,
            Set<String> controllers) {
        @Nullable List<String> told = config.getListOrNull("advertised.listeners");
        List<Endpoint> advertised =
                told == null ? bound : endpoints("advertised.listeners", told, protocols, controllers);
        Set<String> names = new HashSet<>();
        bound.forEach(e -> names.add(e.name()));
        for (Endpoint e : advertised) {
            if (!names.contains(e.name())) {
                throw new ConfigException(
                        "advertised.listeners", told, e.name() + " is not one of the listeners " + names);
            }
            if (e.host().equals("0.0.0.0")) {
                throw new ConfigException(
                        told == null ? "listeners" : "advertised.listeners",
                        e.name() + "://0.0.0.0:" + e.port(),
                        "Clients cannot reach 0.0.0.0: name an address for them in advertised.listeners");
            }
        }
        if (advertised.isEmpty()) {
            throw new ConfigException("advertised.listeners", told, "At least one listener must be advertised");
        }
        return advertised;
    }

    private static List<Endpoint> endpoints(
            String key, List<String> texts, Map<String, SecurityProtocol> protocols, Set<String> controllers) {
        List<Endpoint> endpoints = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String text : texts) {
            Matcher m = ENDPOINT.matcher(text);
            if (!m.matches() || Integer.parseInt(m.group(3)) > PORT_MAX) {
                throw new ConfigException(key, text, "A listener has the form NAME://host:port");
            }
            String name = m.group(1).toUpperCase(Locale.ROOT);
            if (!names.add(name)) {
                throw new ConfigException(key, texts, "Each listener must have a different name");
            }
            if (controllers.contains(name)) {
                continue;
            }
            SecurityProtocol protocol = protocols.get(name);
            if (protocol == null) {
                throw new ConfigException(
                        key,
                        text,
                        "No security protocol defined for listener " + name + " in listener.security.protocol.map");
            }
            endpoints.add(new Endpoint(name, protocol, m.group(2), Integer.parseInt(m.group(3))));
        }
        return endpoints;
    }

    private static Map<String, SecurityProtocol> protocols(BrokerConfig config, Set<String> controllers) {
        String key = "listener.security.protocol.map";
        Map<String, SecurityProtocol> protocols = new HashMap<>();
        for (String pair : config.getString(key).split(",", -1)) {
            if (pair.isBlank()) {
                continue;
            }
            int colon = pair.lastIndexOf(':');
            if (colon < 0) {
                throw new ConfigException(key, pair, "A mapping has the form NAME:PROTOCOL");
            }
            String name = pair.substring(0, colon).trim().toUpperCase(Locale.ROOT);
            String protocol = pair.substring(colon + 1).trim();
            try {
                protocols.put(name, SecurityProtocol.forName(protocol));
            } catch (IllegalArgumentException e) {
                throw new ConfigException(key, protocol, "Protocols are " + SecurityProtocol.names());
            }
        }
        controllers.forEach(name -> protocols.putIfAbsent(name, SecurityProtocol.PLAINTEXT));
        return protocols;
    }

    private static void checkPortsDiffer(List<Endpoint> endpoints) {
        Set<String> seen = new HashSet<>();
        for (Endpoint e : endpoints) {
            boolean ipv6 = e.host().indexOf(':') >= 0;
            if (e.port() != 0 && !seen.add((ipv6 ? "6:" : "4:") + e.port())) {
                throw new ConfigException("listeners", e.port(), "Each listener must have a different port");
            }
        }
    }

    private static Set<String> upperCase(Collection<String> names) {
        Set<String> upper = new HashSet<>();
        names.forEach(n -> upper.add(n.toUpperCase(Locale.ROOT)));
        return upper;
    }
}
