package io.barnabas.request;

import io.barnabas.time.LatencyHistogram;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Requests, errors and latencies of each API: counted by {@link HandlerDispatcher}, read by metrics and console. Safe from any thread. */
public final class RequestMetrics {
    /** Their answers are too many and too large to be walked: they count their errors where they arise. */
    private static final Set<ApiKeys> HOT = EnumSet.of(ApiKeys.PRODUCE, ApiKeys.FETCH);

    private final AnswerErrors errors = new AnswerErrors();
    private final Map<ApiKeys, ApiFigures> figures = new EnumMap<>(ApiKeys.class);

    public RequestMetrics() {
        for (ApiKeys api : ApiKeys.values()) {
            figures.put(api, new ApiFigures(HOT.contains(api) ? null : errors));
        }
    }

    /** The figures of one API; a live object. */
    public ApiFigures of(ApiKeys api) {
        ApiFigures of = figures.get(api);
        if (of == null) {
            throw new IllegalArgumentException("no such api: " + api);
        }
        return of;
    }

    /** Live counters of one API. */
    public static final class ApiFigures {
        private final LongAdder requests = new LongAdder();
        private final LongAdder requestBytes = new LongAdder();
        private final LatencyHistogram latency = new LatencyHistogram();
        private final Map<Errors, LongAdder> errors = new ConcurrentHashMap<>();
        private final @Nullable AnswerErrors inAnswers;

        ApiFigures(@Nullable AnswerErrors inAnswers) {
            this.inAnswers = inAnswers;
        }

        void onRequest(int bytes) {
            requests.increment();
            requestBytes.add(bytes);
        }

        void onAnswer(long nanos) {
            latency.record(nanos);
        }

        /** Counts the errors in an answer, of the APIs whose answers are looked at. */
        void onBody(ApiMessage body) {
            AnswerErrors found = inAnswers;
            if (found != null) {
                found.forEach(body, this::count);
            }
        }

        /** Counts an error of the whole request or of a part of it, unless the API's answers are looked at. */
        public void onError(Errors error) {
            if (inAnswers == null) {
                count(error);
            }
        }

        /** Counts a request that gets no answer but its connection's end. */
        void onRefused(Errors error) {
            count(error);
        }

        private void count(Errors error) {
            errors.computeIfAbsent(error, e -> new LongAdder()).increment();
        }

        public long requests() {
            return requests.sum();
        }

        public long requestBytes() {
            return requestBytes.sum();
        }

        /** From the frame's last byte to the answer's hand-over to the connection. */
        public LatencyHistogram latency() {
            return latency;
        }

        /** Errors answered so far, by code. */
        public Map<Errors, Long> errors() {
            Map<Errors, Long> counts = new EnumMap<>(Errors.class);
            errors.forEach((error, count) -> counts.put(error, count.sum()));
            return counts;
        }
    }
}
