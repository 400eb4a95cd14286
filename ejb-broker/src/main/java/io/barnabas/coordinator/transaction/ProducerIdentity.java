package io.barnabas.coordinator.transaction;

/** A producer id with its epoch. */
public record ProducerIdentity(long id, short epoch) {
    /** What an answer with an error carries. */
    public static final ProducerIdentity NONE = new ProducerIdentity(-1, (short) -1);
}
