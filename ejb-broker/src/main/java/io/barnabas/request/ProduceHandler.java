package io.barnabas.request;

import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Connection;
import io.barnabas.port.Responder;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * Appends what producers send. Each partition's batch is checked and appended on the connection's event loop; at replication
 * factor 1 and durability {@code os} it is committed by then and the answer leaves at once, else {@link ProduceAnswer} waits.
 * Before a partition's first batch in a transaction, {@link TransactionalProduce} asks the transaction's coordinator; while that takes
 * its time the Produces behind it on the connection wait, for their sequences follow on its own. So it is while a partition that this
 * broker is to lead is being opened.
 */
public final class ProduceHandler implements ApiHandler<ProduceRequestData> {
    private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;

    private final DataPath path;
    private final Enlistment enlistment;
    /** Of each connection with Produces that wait for a coordinator or a log, the last: those that come after it take their turn. */
    private final Map<Long, CompletableFuture<Void>> lines = new ConcurrentHashMap<>();

    /** @param enlistment asks whether a partition is part of a transaction */
    public ProduceHandler(DataPath path, Enlistment enlistment) {
        this.path = path;
        this.enlistment = enlistment;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.PRODUCE;
    }

    @Override
    public void handle(ProduceRequestData request, RequestContext context, Responder responder) {
        boolean transactional = hasTransactionalBatch(request);
        if (transactional && request.transactionalId() == null) {
            throw new TransactionalIdAuthorizationException("Transactional records without a transactional id");
        }
        if (transactional || !lines.isEmpty() || !path.metadata().isSettled()) {
            produce(request, context, responder, transactional);
        } else {
            append(request, context, responder, null);
        }
    }

    private void produce(
            ProduceRequestData request, RequestContext context, Responder responder, boolean transactional) {
        long connection = context.connection().id();
        @Nullable CompletableFuture<Void> before = lines.get(connection);
        CompletableFuture<Runnable> prepared;
        Runnable release;
        if (before == null) {
            prepared = prepare(request, context, responder, transactional);
            if (prepared.isDone()) {
                prepared.join().run();
                return;
            }
            release = keepRecords(request, context.connection());
        } else {
            release = keepRecords(request, context.connection()); // first: its turn may come on another thread
            prepared = before.thenCompose(nothing -> prepare(request, context, responder, transactional));
        }
        CompletableFuture<Void> done = prepared.thenAccept(Runnable::run)
                .exceptionally(failure -> {
                    ErrorResponses.answer(context, failure, responder);
                    return null;
                })
                .whenComplete((nothing, failure) -> release.run());
        if (!done.isDone()) {
            lines.put(connection, done);
            var unused = done.whenComplete((nothing, failure) -> lines.remove(connection, done));
        }
    }

    /** Completes with the append, when the partitions are open and it is known of the batches whether they may be appended. */
    private CompletableFuture<Runnable> prepare(
            ProduceRequestData request, RequestContext context, Responder responder, boolean transactional) {
        return opened(request, context).thenCompose(nothing -> {
            if (!transactional) {
                return CompletableFuture.completedFuture(() -> append(request, context, responder, null));
            }
            return verify(request, context)
                    .thenApply(transaction -> () -> append(request, context, responder, transaction));
        });
    }

    /** Clients hear of a leader before that has opened its log: they are not sent away, but wait for it. */
    private CompletableFuture<@Nullable Void> opened(ProduceRequestData request, RequestContext context) {
        if (path.metadata().isSettled() || !anyIsBeingOpened(request, context)) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<@Nullable Void> settled = path.metadata().settled();
        return context.within(request.timeoutMs(), path.ticker(), settled, () -> settled.complete(null));
    }

    private boolean anyIsBeingOpened(ProduceRequestData request, RequestContext context) {
        MetadataImage image = path.metadata().image();
        for (TopicProduceData topic : request.topicData()) {
            @Nullable String name = topicName(topic, context.version(), image);
            for (PartitionProduceData partition : topic.partitionData()) {
                if (name != null && path.partitions().isBecomingLeader(name, partition.index())) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Completes when its batches may be appended, or refused. */
    private CompletableFuture<TransactionalProduce> verify(ProduceRequestData request, RequestContext context) {
        return begin(request, context).verify(enlistment, String.valueOf(request.transactionalId()));
    }

    private TransactionalProduce begin(ProduceRequestData request, RequestContext context) {
        TransactionalProduce transaction =
                new TransactionalProduce(path.partitions(), Enlistment.Mode.ofProduce(context.version()));
        MetadataImage image = path.metadata().image();
        for (TopicProduceData topic : request.topicData()) {
            @Nullable String name = topicName(topic, context.version(), image);
            if (name != null) {
                topic.partitionData().forEach(partition -> transaction.begin(name, partition));
            }
        }
        return transaction;
    }

    /**
     * Copies the records, for their buffers are the connection's again when {@link #handle} returns. {@link ProduceAnswer} lets go of
     * them with the append; what is returned gives the room back.
     */
    private static Runnable keepRecords(ProduceRequestData request, Connection connection) {
        int bytes = 0;
        for (TopicProduceData topic : request.topicData()) {
            for (PartitionProduceData partition : topic.partitionData()) {
                if (partition.records() instanceof MemoryRecords records) {
                    ByteBuffer from = records.buffer().duplicate();
                    bytes += from.remaining();
                    ByteBuffer kept =
                            ByteBuffer.allocate(from.remaining()).put(from).flip();
                    partition.setRecords(MemoryRecords.readableRecords(kept));
                }
            }
        }
        return connection.keep(bytes);
    }

    private void append(
            ProduceRequestData request,
            RequestContext context,
            Responder responder,
            @Nullable TransactionalProduce transaction) {
        ProduceAnswer answer = new ProduceAnswer(path, request, context, responder, transaction);
        MetadataImage image = path.metadata().image();
        for (TopicProduceData topic : request.topicData()) {
            @Nullable String name = topicName(topic, context.version(), image);
            answer.beginTopic(topic, name);
            for (PartitionProduceData partition : topic.partitionData()) {
                answer.append(partition);
            }
        }
        answer.finish();
    }

    /** The name of the topic, or null for an id that no topic has. */
    private static @Nullable String topicName(TopicProduceData topic, short version, MetadataImage image) {
        if (version < FIRST_VERSION_WITH_TOPIC_IDS || topic.topicId().equals(Uuid.ZERO_UUID)) {
            return version < FIRST_VERSION_WITH_TOPIC_IDS ? topic.name() : null;
        }
        @Nullable TopicImage known = image.topic(topic.topicId());
        return known == null ? null : known.name();
    }

    private static boolean hasTransactionalBatch(ProduceRequestData request) {
        for (TopicProduceData topic : request.topicData()) {
            for (PartitionProduceData partition : topic.partitionData()) {
                if (ProducedBatch.isTransactional(partition.records())) {
                    return true;
                }
            }
        }
        return false;
    }
}
