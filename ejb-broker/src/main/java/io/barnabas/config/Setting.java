package io.barnabas.config;

import org.apache.kafka.common.config.ConfigDef;
import org.jspecify.annotations.Nullable;

/**
 * One configuration key. Immutable.
 *
 * @param defaultValue typed as {@code type} says, or null if there is none
 * @param allowed what a value must be beyond its type, in the words of the settings table; empty if anything goes
 * @param section heading under which the documentation lists it
 * @param meaning one or two sentences for the operator
 */
public record Setting(
        String name,
        ConfigDef.Type type,
        @Nullable Object defaultValue,
        String allowed,
        ConfigDef.Importance importance,
        Scope scope,
        Effect effect,
        String section,
        String meaning) {

    /** When a key can be changed, and for whom. */
    public enum Scope {
        /** At start only. */
        READ_ONLY,
        /** At run time, for one broker. */
        PER_BROKER,
        /** At run time, for one broker or for all. */
        CLUSTER_WIDE,
        /** At run time only: it is not read from the start's configuration. */
        DYNAMIC_ONLY,
        /** At any time: a key of a topic, a group or a client metrics subscription. */
        DYNAMIC
    }

    /** What a key does here. */
    public enum Effect {
        YES,
        /** Accepted and shown, with no effect yet. */
        NO,
        /** Accepted and shown, never with an effect: it concerns Kafka's own quorum. */
        KRAFT,
        /** Accepted, with no effect, and not shown. */
        INTERNAL
    }

    /** Whether a broker's key can be changed at run time. */
    public boolean isDynamic() {
        return scope != Scope.READ_ONLY;
    }

    /** Whether its value is never shown. */
    public boolean isSensitive() {
        return type.isSensitive();
    }

    /** The default as it would be written in a file, or null if there is none. */
    public @Nullable String defaultText() {
        return ConfigDef.convertToString(defaultValue, type);
    }
}
