package io.barnabas.metadata;

import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.apache.kafka.common.Uuid;

/**
 * Which life of its cluster a quorum is of. The first is what the voters agreed on; each {@link ForcedRecovery} begins another, with a Raft
 * group of its own, so that members of a former one can neither vote nor send entries. The cluster's id stays.
 *
 * @param number 0 of the first, rising
 * @param id random, tells two recoveries of one cluster apart; zero of the first
 */
record Incarnation(int number, Uuid id) {
    static final Incarnation FIRST = new Incarnation(0, Uuid.ZERO_UUID);

    /** @throws IllegalArgumentException if {@code text} is not what {@link #toString} makes */
    static Incarnation parse(String text) {
        if (text.isEmpty()) {
            return FIRST;
        }
        int dot = text.indexOf('.');
        if (dot < 0) {
            throw new IllegalArgumentException("Not an incarnation of a quorum: " + text);
        }
        return new Incarnation(Integer.parseInt(text.substring(0, dot)), Uuid.fromString(text.substring(dot + 1)));
    }

    boolean isFirst() {
        return number == 0;
    }

    Incarnation next(Uuid newId) {
        return new Incarnation(number + 1, newId);
    }

    /** The Raft group of a cluster in this incarnation. */
    UUID group(String clusterId) {
        if (!isFirst()) {
            return UUID.nameUUIDFromBytes((clusterId + "/" + this).getBytes(StandardCharsets.UTF_8));
        }
        try {
            Uuid first = Uuid.fromString(clusterId);
            return new UUID(first.getMostSignificantBits(), first.getLeastSignificantBits());
        } catch (IllegalArgumentException e) {
            // A cluster id may be any text.
            return UUID.nameUUIDFromBytes(clusterId.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Empty of the first. */
    @Override
    public String toString() {
        return isFirst() ? "" : number + "." + id;
    }
}
