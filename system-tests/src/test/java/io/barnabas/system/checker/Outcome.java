package io.barnabas.system.checker;

/** How a write or a transaction ended for the client that asked for it. */
public enum Outcome {
    /** Acknowledged, or committed: it must be there for ever. */
    OK,
    /** No answer, or one that does not tell: it may be there or not, but wholly or not at all. */
    UNKNOWN,
    /** Aborted, or given up before the commit was asked for: nobody may see it. */
    FAILED
}
