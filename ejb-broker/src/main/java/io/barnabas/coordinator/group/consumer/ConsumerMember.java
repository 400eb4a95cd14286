package io.barnabas.coordinator.group.consumer;

/** A member of a consumer group. Immutable. */
public record ConsumerMember(String id, MemberProfile profile, CurrentAssignment current) {
    /** One that has just come. */
    public static ConsumerMember fresh(String id) {
        return new ConsumerMember(id, MemberProfile.NONE, CurrentAssignment.NONE);
    }

    public ConsumerMember with(MemberProfile other) {
        return new ConsumerMember(id, other, current);
    }

    public ConsumerMember with(CurrentAssignment other) {
        return new ConsumerMember(id, profile, other);
    }

    /** A static member's successor, with its place and the epoch 0. */
    public ConsumerMember succeededBy(String newId) {
        return new ConsumerMember(newId, profile, current.rejoining());
    }

    /** A static member that has left and will be back. */
    public ConsumerMember leavingStatic() {
        return with(current.leavingStatic());
    }

    public int epoch() {
        return current.epoch();
    }
}
