package io.barnabas.peer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks other brokers many small things in few requests: while one request to a broker is under way, what is to be asked next gathers, and
 * goes in the next. Safe from any thread.
 *
 * @param <T> one question
 */
final class BatchedQuestions<T> {
    private static final Logger LOG = LoggerFactory.getLogger(BatchedQuestions.class);
    /** Questions of one request. */
    private static final int BATCH_MAX = 2_000;
    /** Questions that may wait for one broker. */
    private static final int WAITING_MAX = 50_000;

    private final BrokerLinks links;
    private final Lane lane;
    private final Kind<T> kind;
    private final int timeoutMs;
    private final Map<Integer, Waiting<T>> brokers = new ConcurrentHashMap<>();

    BatchedQuestions(BrokerLinks links, Lane lane, Kind<T> kind, int timeoutMs) {
        this.links = links;
        this.lane = lane;
        this.kind = kind;
        this.timeoutMs = timeoutMs;
    }

    /** What is asked, and how it is put into a request. */
    interface Kind<T> {
        /** One request has questions of one key only if their {@link #value} is equal: answers are told apart by the key. */
        Object key(T question);

        Object value(T question);

        ApiMessage request(List<T> questions);

        /** Answers each of the questions. */
        void onAnswer(List<T> questions, ApiMessage answer);

        /** There is no answer; whether the question was received is unknown. */
        void onFailure(T question, NetworkException cause);
    }

    private static final class Waiting<T> {
        private final ArrayDeque<T> questions = new ArrayDeque<>(); // guarded by this
        private boolean busy; // guarded by this
    }

    void ask(int broker, T question) {
        Waiting<T> waiting = brokers.computeIfAbsent(broker, id -> new Waiting<>());
        synchronized (waiting) {
            if (waiting.questions.size() < WAITING_MAX) {
                waiting.questions.add(question);
                if (waiting.busy) {
                    return;
                }
                waiting.busy = true;
                question = null;
            }
        }
        if (question != null) {
            kind.onFailure(question, new NetworkException("too much waits for broker " + broker));
        } else {
            next(broker, waiting);
        }
    }

    private void next(int broker, Waiting<T> waiting) {
        List<T> batch;
        synchronized (waiting) {
            batch = take(waiting.questions);
            if (batch.isEmpty()) {
                waiting.busy = false;
                return;
            }
        }
        var unused = links.send(broker, lane, kind.request(batch), timeoutMs).whenComplete((answer, failure) -> {
            try {
                settle(broker, batch, answer, failure);
            } finally {
                next(broker, waiting);
            }
        });
    }

    private List<T> take(ArrayDeque<T> questions) {
        List<T> batch = new ArrayList<>();
        Map<Object, Object> values = new HashMap<>();
        for (Iterator<T> i = questions.iterator(); i.hasNext() && batch.size() < BATCH_MAX; ) {
            T question = i.next();
            @Nullable Object other = values.putIfAbsent(kind.key(question), kind.value(question));
            if (other == null || other.equals(kind.value(question))) {
                batch.add(question);
                i.remove();
            }
        }
        return batch;
    }

    private void settle(int broker, List<T> batch, @Nullable ApiMessage answer, @Nullable Throwable failure) {
        if (answer != null) {
            kind.onAnswer(batch, answer);
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        LOG.info(
                "no answer; broker={} lane={} questions={} cause={}",
                broker,
                lane,
                batch.size(),
                String.valueOf(cause));
        NetworkException told = new NetworkException("broker " + broker + " does not answer: " + cause);
        batch.forEach(question -> kind.onFailure(question, told));
    }
}
