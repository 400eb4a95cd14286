package io.barnabas.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The addresses that a process listens on (TCP) or is bound to (UDP), from the kernel's tables of its network. */
final class Sockets {
    /** Table and the state that counts: listening for TCP, not connected for UDP. */
    private static final Map<String, String> TABLES = Map.of("tcp", "0A", "tcp6", "0A", "udp", "07", "udp6", "07");

    private static final String LOOPBACK_6 = "00000000000000000000000001000000";

    private Sockets() {}

    static boolean visible() {
        return Files.isReadable(Path.of("/proc/self/net/tcp"));
    }

    /** Addresses as {@code host:port}. */
    static List<String> openedBy(long pid) throws IOException {
        Set<String> inodes = inodes(pid);
        List<String> addresses = new ArrayList<>();
        for (Map.Entry<String, String> table : TABLES.entrySet()) {
            Path sockets = Path.of("/proc", Long.toString(pid), "net", table.getKey());
            if (!Files.exists(sockets)) {
                continue;
            }
            for (String line : Files.readAllLines(sockets)) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 9 && fields[3].equals(table.getValue()) && inodes.contains(fields[9])) {
                    addresses.add(address(fields[1]));
                }
            }
        }
        return addresses;
    }

    static boolean isLoopback(String address) {
        return address.startsWith("127.") || address.startsWith("[::1]:");
    }

    private static Set<String> inodes(long pid) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
            return descriptors
                    .map(Sockets::target)
                    .filter(target -> target.startsWith("socket:["))
                    .map(target -> target.substring(8, target.length() - 1))
                    .collect(Collectors.toSet());
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }

    /** The kernel's form read: an IPv4 address (also one mapped into IPv6), or the loopback of IPv6; another stays as it is. */
    private static String address(String field) {
        String[] parts = field.split(":");
        int port = Integer.parseInt(parts[1], 16);
        if (parts[0].equals(LOOPBACK_6)) {
            return "[::1]:" + port;
        }
        String host = parts[0].replaceFirst("^0{16}FFFF0000", "");
        if (host.length() != 8) {
            return field;
        }
        byte[] reversed = HexFormat.of().parseHex(host);
        return (reversed[3] & 0xff) + "." + (reversed[2] & 0xff) + "." + (reversed[1] & 0xff) + "."
                + (reversed[0] & 0xff) + ":" + port;
    }
}
