package io.barnabas.log;

/** Who appends: it decides what is checked. */
public enum AppendOrigin {
    /** A client's Produce: everything is checked. */
    CLIENT,
    /** A coordinator of this broker: trusted, offsets assigned here. */
    COORDINATOR,
    /** A follower copying its leader: offsets and epochs are kept as they are. */
    REPLICATION
}
