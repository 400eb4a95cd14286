package io.barnabas.request;

import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.Partition.Registration;
import io.barnabas.partition.Partition.Watcher;
import io.barnabas.port.Responder;
import io.barnabas.time.Ticker.Timeout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * One Fetch until its answer: reads at once, and if there is too little waits for appends that bring enough, for a change of one of
 * its partitions, or for its time to run out.
 *
 * <p>Begins on the connection's event loop. While it waits, the thread that appends looks again; the session's lock (or its own)
 * keeps those looks apart.
 */
final class FetchAttempt implements Watcher {
    private static final short FIRST_VERSION_WITH_LEADER_HINTS = 16;

    /** So often a thread looks before it leaves the fetch to the thread that appends next. */
    private static final int LOOKS_IN_A_ROW_MAX = 4;

    private final FetchHandler handler;
    private final FetchScope scope;
    private final FetchParameters parameters;
    private final RequestContext context;
    private final Responder responder;
    private final Object lock;
    private final List<Registration> registrations = new ArrayList<>(); // guarded by lock
    private final AtomicLong advancedBytes = new AtomicLong(); // appended since the wait began
    private volatile long enoughBytes; // of advancedBytes to look again; written under lock
    private @Nullable Timeout timeout; // guarded by lock
    private volatile boolean done; // written under lock

    FetchAttempt(
            FetchHandler handler,
            FetchScope scope,
            FetchParameters parameters,
            RequestContext context,
            Responder responder) {
        this.handler = handler;
        this.scope = scope;
        this.parameters = parameters;
        this.context = context;
        this.responder = responder;
        this.lock = scope.session() == null ? this : scope.session();
    }

    /** Answers or begins to wait. */
    void run() {
        if (parameters.fromFollower()) {
            new FollowerProgress(handler, parameters).report(scope.partitions().values(), lock);
        }
        synchronized (lock) {
            try {
                if (!look(parameters.maxWaitMs() <= 0)) {
                    await();
                }
            } catch (RuntimeException failure) {
                onDone(); // nothing may be left waiting: the dispatcher answers
                throw failure;
            }
        }
    }

    /** Reads; answers if there is reason to. Returns whether it did. */
    private boolean look(boolean lastTime) {
        for (int looks = 0; looks < LOOKS_IN_A_ROW_MAX; looks++) {
            if (lookOnce(lastTime)) {
                return true;
            }
            if (advancedBytes.get() < enoughBytes) {
                return false;
            } // enough came while we looked, and its thread took the bytes of the last look for the measure
        }
        return false; // the next append looks
    }

    private boolean lookOnce(boolean lastTime) {
        if (epochPassed()) {
            answerPassed();
            return true;
        }
        long advancedBefore =
                advancedBytes.get(); // what comes from here on may be counted and read: that is a look too many
        FetchRead read = new FetchRead(handler, parameters, context, scope.session() != null);
        for (FetchPartition partition : scope.partitions().values()) {
            read.look(partition);
        }
        if (lastTime || read.shouldAnswer()) {
            answer(read);
            return true;
        }
        enoughBytes = advancedBefore + parameters.minBytes() - read.bytes();
        read.release();
        return false;
    }

    /** Another request of the session came while this one waited: the client must have given this one up. */
    private boolean epochPassed() {
        return scope.session() != null && scope.session().epoch() != scope.expectedEpoch();
    }

    private void answerPassed() {
        onDone();
        FetchSession session = scope.session();
        handler.path().metrics().of(ApiKeys.FETCH).onError(Errors.INVALID_FETCH_SESSION_EPOCH);
        responder.respond(new FetchResponseData()
                .setErrorCode(Errors.INVALID_FETCH_SESSION_EPOCH.code())
                .setSessionId(session == null ? 0 : session.id()));
    }

    private void await() {
        boolean missed = false;
        for (FetchPartition partition : scope.partitions().values()) {
            @Nullable LocalPartition local = partition.local;
            if (local != null) {
                registrations.add(local.watch(this));
                missed |= !local.online() || readableEnd(local) != partition.seenEnd;
                if (!parameters.fromFollower()) {
                    onReader(local);
                } else if (partition.waitsForHighWatermark()) {
                    registrations.add(local.watch(new HighWatermarkNews()));
                    missed |= partition.misses(local.highWatermark());
                }
            }
        }
        handler.onWaiting(context.connection(), this);
        if (scope.session() != null) {
            scope.session().onWaiting(this);
        }
        timeout = handler.path().ticker().after(parameters.maxWaitMs(), () -> context.connection()
                .execute(this::onTimeout));
        if (missed) {
            look(false);
        }
    }

    /** A follower hears of the high watermark late, unless its leader knows that somebody waits. */
    private static void onReader(LocalPartition local) {
        if (!local.leads()) {
            local.following().onReader();
        }
    }

    /** Wakes a follower's fetch when the high watermark rises: consumers wait there (KIP-392). */
    private final class HighWatermarkNews implements Watcher {
        @Override
        public void onAdvance(int bytes) {
            lookAgain(false);
        }

        @Override
        public void onDisturbance() {
            // the fetch itself is told
        }
    }

    private long readableEnd(LocalPartition local) {
        if (parameters.toLogEnd()) {
            return local.log().logEndOffset();
        }
        return parameters.readCommitted() ? local.lastStableOffset() : local.highWatermark();
    }

    @Override
    public boolean readsToLogEnd() {
        return parameters.toLogEnd();
    }

    @Override
    public void onAdvance(int bytes) {
        if (!done && advancedBytes.addAndGet(bytes) >= enoughBytes) {
            lookAgain(false);
        }
    }

    /** A follower is to drop what its leader has dropped: somebody waits for that. */
    @Override
    public void onLogStart() {
        if (parameters.fromFollower()) {
            lookAgain(false);
        }
    }

    @Override
    public void onDisturbance() {
        lookAgain(false);
    }

    private void onTimeout() {
        lookAgain(true);
    }

    /** On another's thread, which must not suffer from what goes wrong here. */
    private void lookAgain(boolean lastTime) {
        synchronized (lock) {
            if (done) {
                return;
            }
            try {
                look(lastTime);
            } catch (RuntimeException failure) {
                onDone();
                ErrorResponses.answer(context, failure, responder);
            }
        }
    }

    /** A follower has sent the next request of its session before this one had anything to tell: it has not. Under the session's lock. */
    void onOvertaken() {
        if (!done) {
            onDone();
            responder.respond(new FetchResponseData().setSessionId(sessionId()));
        }
    }

    /** The connection is gone. */
    void abandon() {
        synchronized (lock) {
            if (!done) {
                onDone();
                responder.close();
            }
        }
    }

    private void onDone() {
        done = true;
        registrations.forEach(Registration::cancel);
        if (scope.session() != null) {
            scope.session().onAnswered(this);
        }
        if (timeout != null) {
            timeout.cancel();
            handler.onDone(context.connection(), this);
        }
    }

    private void answer(FetchRead read) {
        onDone();
        @Nullable LeaderHints hints = null;
        List<FetchableTopicResponse> topics = new ArrayList<>();
        @Nullable FetchPartition before = null;
        for (int i = 0; i < read.answers().size(); i++) {
            FetchPartition partition = read.partitions().get(i);
            PartitionData answer = read.answers().get(i);
            if (before == null || !before.sameTopic(partition)) {
                topics.add(topic(partition));
            }
            before = partition;
            topics.get(topics.size() - 1).partitions().add(answer);
            if (answer.errorCode() != Errors.NONE.code()) {
                hints = onError(partition, answer, hints);
            }
            remember(partition, answer);
        }
        FetchResponseData response =
                new FetchResponseData().setSessionId(sessionId()).setResponses(topics);
        if (hints != null) {
            response.setNodeEndpoints(hints.fetchEndpoints());
        }
        responder.respond(response);
    }

    private static FetchableTopicResponse topic(FetchPartition partition) {
        return new FetchableTopicResponse()
                .setTopic(partition.topic == null ? "" : partition.topic)
                .setTopicId(partition.topicId == null ? Uuid.ZERO_UUID : partition.topicId)
                .setPartitions(new ArrayList<>());
    }

    private @Nullable LeaderHints onError(
            FetchPartition partition, PartitionData answer, @Nullable LeaderHints before) {
        Errors error = Errors.forCode(answer.errorCode());
        handler.path().metrics().of(ApiKeys.FETCH).onError(error);
        boolean hint = error == Errors.NOT_LEADER_OR_FOLLOWER || error == Errors.FENCED_LEADER_EPOCH;
        if (!hint || parameters.version() < FIRST_VERSION_WITH_LEADER_HINTS || partition.topic == null) {
            return before;
        }
        LeaderHints hints =
                before == null ? new LeaderHints(handler.path().metadata().image(), context.listenerName()) : before;
        hints.addTo(answer, partition.topic);
        return hints;
    }

    private void remember(FetchPartition partition, PartitionData answer) {
        partition.onTold(answer);
        @Nullable LocalPartition local = partition.local;
        if (parameters.fromFollower() && local != null) {
            handler.throttle().onCopied(local.topicPartition(), answer.records().sizeInBytes());
        }
        if (scope.session() != null && answer.records().sizeInBytes() > 0) {
            scope.session().rotate(partition);
        }
    }

    private int sessionId() {
        if (scope.session() != null) {
            return scope.session().id();
        }
        return scope.mayBegin()
                ? handler.cache()
                        .create(
                                scope.partitions(),
                                parameters.fromFollower(),
                                parameters.version() >= 13,
                                handler.path().clock().monotonicMillis())
                : 0;
    }
}
