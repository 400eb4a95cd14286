package io.barnabas.coordinator.transaction;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData.TopicData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** What administration is told (KIP-664). Confined to the shard's serial executor. */
final class TransactionQueries {
    private final TransactionContext context;

    TransactionQueries(TransactionContext context) {
        this.context = context;
    }

    DescribeTransactionsResponseData.TransactionState describe(String transactionalId) {
        var answer = new DescribeTransactionsResponseData.TransactionState().setTransactionalId(transactionalId);
        Transactions.@Nullable Entry entry = context.transactions().find(transactionalId);
        if (entry == null) {
            return answer.setErrorCode(Errors.TRANSACTIONAL_ID_NOT_FOUND.code());
        }
        TransactionMetadata metadata = entry.metadata();
        for (TopicPartition partition : metadata.partitions()) {
            @Nullable TopicData topic = answer.topics().find(partition.topic());
            if (topic == null) {
                topic = new TopicData().setTopic(partition.topic());
                answer.topics().add(topic);
            }
            topic.partitions().add(partition.partition());
        }
        return answer.setProducerId(metadata.producerId())
                .setProducerEpoch(metadata.producerEpoch())
                .setTransactionState(metadata.state().title())
                .setTransactionTimeoutMs(metadata.timeoutMs())
                .setTransactionStartTimeMs(metadata.startTimestampMs());
    }

    /**
     * Which transactional ids are listed; each empty filter lets all pass.
     *
     * @param states null for all
     * @param minDurationMs only transactions that began longer ago than that; negative for all
     */
    record Filter(
            @Nullable EnumSet<TransactionState> states,
            Set<Long> producerIds,
            long minDurationMs,
            @Nullable Pattern ids) {}

    List<ListTransactionsResponseData.TransactionState> list(Filter filter) {
        List<ListTransactionsResponseData.TransactionState> listed = new ArrayList<>();
        for (Transactions.Entry entry : context.transactions().all()) {
            if (passes(filter, entry)) {
                TransactionMetadata metadata = entry.metadata();
                listed.add(new ListTransactionsResponseData.TransactionState()
                        .setTransactionalId(entry.transactionalId)
                        .setProducerId(metadata.producerId())
                        .setTransactionState(metadata.state().title()));
            }
        }
        return listed;
    }

    /** Every transactional id. */
    List<TransactionPicture> pictures() {
        return context.transactions().all().stream()
                .map(entry -> TransactionPicture.of(entry.transactionalId, entry.metadata()))
                .toList();
    }

    TransactionCensus census() {
        return TransactionCensus.of(context.transactions().all());
    }

    /** Those that are prepared. */
    List<TransactionPicture> prepared() {
        return context.transactions().busy().stream()
                .filter(entry -> entry.metadata().isPrepared())
                .map(entry -> TransactionPicture.of(entry.transactionalId, entry.metadata()))
                .toList();
    }

    private boolean passes(Filter filter, Transactions.Entry entry) {
        TransactionMetadata metadata = entry.metadata();
        return (filter.producerIds.isEmpty() || filter.producerIds.contains(metadata.producerId()))
                && (filter.states == null || filter.states.contains(metadata.state()))
                && (filter.minDurationMs < 0 || context.nowMs() - metadata.startTimestampMs() > filter.minDurationMs)
                && (filter.ids == null
                        || filter.ids
                                .matcher(new BoundedText(entry.transactionalId))
                                .matches());
    }
}
