package io.barnabas.request;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Requests, errors and latencies of each API: counted by {@link HandlerDispatcher}, read by metrics and console. Safe from any thread. */
public final class RequestMetrics {
    private final Map<ApiKeys, ApiFigures> figures = new EnumMap<>(ApiKeys.class);

    public RequestMetrics() {
        for (ApiKeys api : ApiKeys.values()) {
            figures.put(api, new ApiFigures());
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

        void onRequest(int bytes) {
            requests.increment();
            requestBytes.add(bytes);
        }

        void onAnswer(long nanos) {
            latency.record(nanos);
        }

        /** Counts an error in an answer: of the whole request or of a part of it. */
        public void onError(Errors error) {
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
