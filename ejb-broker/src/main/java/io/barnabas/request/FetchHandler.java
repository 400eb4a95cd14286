package io.barnabas.request;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.ReplicationThrottle;
import io.barnabas.port.Connection;
import io.barnabas.port.Responder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Answers consumers and followers with slices of segment files. Finds the fetch's partitions, in a session or out of one;
 * {@link FetchAttempt} reads them and waits if there is too little.
 */
public final class FetchHandler implements ApiHandler<FetchRequestData> {
    private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;

    private final DataPath path;
    private final FetchLimits limits;
    private final FetchSessions sessions;
    private final Map<Long, Set<FetchAttempt>> waiting = new ConcurrentHashMap<>(); // by connection
    private volatile Consumer<LocalPartition> joins = partition -> {};
    private volatile PreferredReplicas preferred = PreferredReplicas.NONE;
    private volatile ReplicationThrottle throttle = ReplicationThrottle.NONE;

    /**
     * Makes the handler.
     *
     * @param random for the numbers of sessions
     */
    public FetchHandler(DataPath path, FetchLimits limits, IntSupplier random) {
        this.path = path;
        this.limits = limits;
        this.sessions = new FetchSessions(limits.sessionSlots(), limits.sessionEvictionMs(), random);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.FETCH;
    }

    /** Fetch sessions at present. */
    public int sessions() {
        return sessions.size();
    }

    /** Sessions that had to make room, since start. */
    public long sessionEvictions() {
        return sessions.evictions();
    }

    /** Tells of partitions whose ISR a follower should come into, on its connection's event loop, from now on. */
    public void whenShouldJoin(Consumer<LocalPartition> listener) {
        joins = listener;
    }

    /** Sends consumers to the replicas that these choose, from now on. */
    public void preferring(PreferredReplicas replicas) {
        preferred = replicas;
    }

    PreferredReplicas preferred() {
        return preferred;
    }

    /** Bounds what is sent to followers, from now on. */
    public void throttling(ReplicationThrottle bound) {
        throttle = bound;
    }

    ReplicationThrottle throttle() {
        return throttle;
    }

    void onShouldJoin(LocalPartition partition) {
        joins.accept(partition);
    }

    @Override
    public void handle(FetchRequestData request, RequestContext context, Responder responder) {
        FetchParameters parameters = FetchParameters.of(request, context.version(), limits);
        if (parameters.fromFollower() && !context.interBroker()) {
            throw new ClusterAuthorizationException("Replicas fetch over the listener of the brokers");
        }
        boolean full = request.sessionEpoch() == FetchMetadata.INITIAL_EPOCH
                || request.sessionEpoch() == FetchMetadata.FINAL_EPOCH;
        @Nullable
        FetchScope scope =
                full ? fullScope(request, context.version()) : sessionScope(request, context.version(), responder);
        if (scope != null) {
            new FetchAttempt(this, scope, parameters, context, responder).run();
        }
    }

    DataPath path() {
        return path;
    }

    FetchSessions cache() {
        return sessions;
    }

    /** A full fetch names all its partitions; it ends the session it names and may begin a new one. */
    private FetchScope fullScope(FetchRequestData request, short version) {
        if (request.sessionId() != FetchMetadata.INVALID_SESSION_ID) {
            sessions.remove(request.sessionId());
        }
        Map<FetchPartition, FetchPartition> partitions = new LinkedHashMap<>();
        merge(request, version, partitions);
        return new FetchScope(partitions, null, 0, request.sessionEpoch() == FetchMetadata.INITIAL_EPOCH);
    }

    private @Nullable FetchScope sessionScope(FetchRequestData request, short version, Responder responder) {
        @Nullable FetchSession session = sessions.find(request.sessionId());
        if (session == null) {
            return refuse(Errors.FETCH_SESSION_ID_NOT_FOUND, responder);
        }
        synchronized (session) {
            if (session.epoch() != request.sessionEpoch()) {
                return refuse(Errors.INVALID_FETCH_SESSION_EPOCH, responder);
            }
            if (session.usesTopicIds() != version >= FIRST_VERSION_WITH_TOPIC_IDS) {
                return refuse(Errors.FETCH_SESSION_TOPIC_ID_ERROR, responder);
            }
            merge(request, version, session.partitions());
            forget(request, version, session.partitions());
            if (session.partitions().isEmpty()) {
                sessions.remove(session.id());
                return new FetchScope(Map.of(), null, 0, false);
            }
            session.onUsed(path.clock().monotonicMillis());
            session.overtake();
            return new FetchScope(session.partitions(), session, session.epoch(), false);
        }
    }

    private @Nullable FetchScope refuse(Errors error, Responder responder) {
        path.metrics().of(ApiKeys.FETCH).onError(error);
        responder.respond(new FetchResponseData().setErrorCode(error.code()));
        return null;
    }

    private void merge(FetchRequestData request, short version, Map<FetchPartition, FetchPartition> into) {
        boolean ids = version >= FIRST_VERSION_WITH_TOPIC_IDS;
        MetadataImage image = path.metadata().image();
        for (var topic : request.topics()) {
            @Nullable String name = ids ? nameOf(topic.topicId(), image) : topic.topic();
            Uuid id = ids ? topic.topicId() : Uuid.ZERO_UUID;
            for (var wanted : topic.partitions()) {
                FetchPartition partition = new FetchPartition(name, id, wanted.partition());
                @Nullable FetchPartition known = into.putIfAbsent(partition, partition);
                (known == null ? partition : known).want(wanted);
                if (known != null && isFollower(request)) {
                    known.onNothingTold();
                }
            }
        }
    }

    private static boolean isFollower(FetchRequestData request) {
        return request.replicaId() >= 0 || request.replicaState().replicaId() >= 0;
    }

    private static @Nullable String nameOf(Uuid id, MetadataImage image) {
        @Nullable TopicImage topic = image.topic(id);
        return topic == null ? null : topic.name();
    }

    private static void forget(FetchRequestData request, short version, Map<FetchPartition, FetchPartition> from) {
        boolean ids = version >= FIRST_VERSION_WITH_TOPIC_IDS;
        for (var topic : request.forgottenTopicsData()) {
            for (int index : topic.partitions()) {
                from.remove(
                        new FetchPartition(ids ? null : topic.topic(), ids ? topic.topicId() : Uuid.ZERO_UUID, index));
            }
        }
    }

    void onWaiting(Connection connection, FetchAttempt attempt) {
        waiting.computeIfAbsent(connection.id(), id -> ConcurrentHashMap.newKeySet())
                .add(attempt);
    }

    void onDone(Connection connection, FetchAttempt attempt) {
        waiting.computeIfPresent(connection.id(), (id, attempts) -> {
            attempts.remove(attempt);
            return attempts.isEmpty() ? null : attempts;
        });
    }

    /** Nobody waits any more for what this connection asked. Its sessions stay: the client may come back with another. */
    public void onConnectionClosed(Connection connection) {
        @Nullable Set<FetchAttempt> left = waiting.remove(connection.id());
        if (left != null) {
            left.forEach(FetchAttempt::abandon);
        }
    }
}
