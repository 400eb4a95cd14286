package io.barnabas.server;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where other members of the data grid may be. Names are looked up here, and not by Hazelcast: of a name's addresses that tries one, and none
 * but this node's own where members listen on one address. They are looked up again and again, since the name of a node that starts
 * after this one may get its address then. For one thread at a time.
 */
final class MemberAddresses {
    private static final Logger LOG = Logger.getLogger(MemberAddresses.class.getName());

    /** A host's name and a port. Addresses of IPv4 have no letters, those of IPv6 are in brackets. */
    private static final Pattern NAMED = Pattern.compile("([0-9a-zA-Z\\-._]*[a-zA-Z_][0-9a-zA-Z\\-._]*):(\\d+)");

    private final List<String> told;
    private final NameServer names;
    private final Map<String, List<String>> known = new HashMap<>();
    private final Set<String> unknown = new HashSet<>();

    /** Whoever knows the addresses of a name, all of them. */
    @FunctionalInterface
    interface NameServer {
        InetAddress[] addressesOf(String host) throws UnknownHostException;
    }

    /** @param told HOST:PORT of members, where HOST is a name or an address */
    MemberAddresses(List<String> told, NameServer names) {
        this.told = List.copyOf(told);
        this.names = names;
    }

    /** Whether another look may find others. */
    boolean mayChange() {
        return told.stream().anyMatch(member -> NAMED.matcher(member).matches());
    }

    /** All, as ADDRESS:PORT; of a name that cannot be looked up now those that it had before. */
    Set<String> lookUp() {
        Set<String> all = new TreeSet<>();
        for (String member : told) {
            Matcher named = NAMED.matcher(member);
            if (named.matches()) {
                addressesOf(named.group(1)).forEach(address -> all.add(address + ":" + named.group(2)));
            } else {
                all.add(member);
            }
        }
        return all;
    }

    private List<String> addressesOf(String host) {
        try {
            List<String> found = Stream.of(names.addressesOf(host))
                    .map(MemberAddresses::text)
                    .toList();
            unknown.remove(host);
            known.put(host, found);
            return found;
        } catch (UnknownHostException e) {
            if (unknown.add(host)) {
                LOG.log(
                        Level.WARNING,
                        "barnabas.cluster.discovery names a host that has no address now, it is looked up again; host={0}",
                        host);
            }
            return known.getOrDefault(host, List.of());
        }
    }

    private static String text(InetAddress address) {
        return address instanceof Inet6Address ? "[" + address.getHostAddress() + "]" : address.getHostAddress();
    }
}
