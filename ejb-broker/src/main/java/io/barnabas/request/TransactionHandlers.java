package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.coordinator.transaction.MarkerWriter;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.metadata.Metadata;
import java.util.List;
import org.apache.kafka.common.protocol.Errors;

/** The handlers of transactions, for the composition root. */
public final class TransactionHandlers {
    private TransactionHandlers() {}

    /**
     * What they work with.
     *
     * @param markers writes markers to the partitions of this broker
     */
    public record Parts(
            TransactionCoordinator transactions,
            GroupCoordinator groups,
            Metadata metadata,
            Enlistment enlistment,
            MarkerWriter markers) {}

    /** All of them. */
    public static List<ApiHandler<?>> all(Parts parts, ControlPlane plane) {
        return List.of(
                new InitProducerIdHandler(parts.transactions(), plane.producerIds()),
                new AddPartitionsToTxnHandler(parts.transactions(), parts.metadata()),
                new AddOffsetsToTxnHandler(parts.transactions(), parts.groups()),
                new EndTxnHandler(parts.transactions()),
                new TxnOffsetCommitHandler(parts),
                new WriteTxnMarkersHandler(parts.markers()),
                new DescribeTransactionsHandler(parts.transactions()),
                new ListTransactionsHandler(parts.transactions()));
    }

    /** PRODUCER_FENCED, which clients before {@code sinceVersion} of an API do not know. */
    static short code(Errors error, short version, int sinceVersion) {
        return (error == Errors.PRODUCER_FENCED && version < sinceVersion ? Errors.INVALID_PRODUCER_EPOCH : error)
                .code();
    }
}
