package io.barnabas.coordinator.group.consumer;

/**
 * Where a member is on its way to its target assignment (KIP-848).
 *
 * <pre>
 * STABLE -> UNREVOKED_PARTITIONS -> UNRELEASED_PARTITIONS -> STABLE
 *    '---------------------------------^        (nothing to give up; what is wanted is still another's)
 * </pre>
 */
public enum MemberState {
    /** Has all that it is to have. */
    STABLE((byte) 0),
    /** Is told to give partitions up, and has not said that it has. Keeps its epoch meanwhile. */
    UNREVOKED_PARTITIONS((byte) 1),
    /** Is in the target's epoch, and waits for partitions that others have yet to give up. */
    UNRELEASED_PARTITIONS((byte) 2),
    /** Of a later version: the member is sent to join again. */
    UNKNOWN((byte) 127);

    private final byte code;

    MemberState(byte code) {
        this.code = code;
    }

    /** The code in the log. */
    public byte code() {
        return code;
    }

    public static MemberState of(byte code) {
        for (MemberState state : values()) {
            if (state.code == code) {
                return state;
            }
        }
        return UNKNOWN;
    }
}
