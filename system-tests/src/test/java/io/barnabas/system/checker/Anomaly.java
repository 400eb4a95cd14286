package io.barnabas.system.checker;

import java.util.List;

/**
 * Something that no log which keeps its promises shows.
 *
 * @param detail the fact
 * @param operations who has part in it
 */
public record Anomaly(Kind kind, String detail, List<Operation> operations) {
    /** What is looked for; the checker's methods say exactly what each is. */
    public enum Kind {
        LOST_WRITE,
        DUPLICATE,
        ABORTED_READ,
        UNWRITTEN_READ,
        DIRTY_READ,
        PRECOMMITTED_READ,
        INTERNAL_NONMONOTONIC_POLL,
        EXTERNAL_NONMONOTONIC_POLL,
        SKIPPED_RECORD,
        INCONSISTENT_OFFSET,
        WRITE_CYCLE,
        TORN_TRANSACTION,
        OFFSET_WITHOUT_OUTPUT
    }

    /** The fact and, on a line each, the operations. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(kind + ": " + detail);
        operations.forEach(operation -> text.append("\n    ").append(operation.describe()));
        return text.toString();
    }
}
