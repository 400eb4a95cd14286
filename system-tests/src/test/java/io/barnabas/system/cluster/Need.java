package io.barnabas.system.cluster;

import java.util.Optional;

/** What a fault needs of the machine beside processes and signals. */
enum Need {
    /** A network for each node, which can be cut. */
    NETWORK {
        @Override
        Optional<String> missing() {
            return CutNetwork.inside()
                    ? Optional.empty()
                    : Optional.of("a network of one's own (unshare, ip, veth, rules of routing) is not allowed here");
        }
    },
    /** A disk for each node, which can be full or lose its power. */
    DISKS {
        @Override
        Optional<String> missing() {
            return Disk.missing();
        }
    },
    /** Clocks and disks that fail on demand. */
    UNRELIABILITY {
        @Override
        Optional<String> missing() {
            return Unreliable.missing();
        }
    };

    /** Why it cannot be had here; empty if it can. */
    abstract Optional<String> missing();
}
