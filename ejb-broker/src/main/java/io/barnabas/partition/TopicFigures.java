package io.barnabas.partition;

import java.util.concurrent.atomic.LongAdder;

/** Live counters of one topic on this broker, for metrics and console. Safe from any thread. */
public final class TopicFigures {
    private final LongAdder bytesIn = new LongAdder();
    private final LongAdder recordsIn = new LongAdder();
    private final LongAdder bytesOut = new LongAdder();
    private final LongAdder failedProduces = new LongAdder();

    void onAppend(int bytes, int records) {
        bytesIn.add(bytes);
        recordsIn.add(records);
    }

    void onRead(int bytes) {
        bytesOut.add(bytes);
    }

    void onFailedAppend() {
        failedProduces.increment();
    }

    /** Bytes of record batches appended since start. */
    public long bytesIn() {
        return bytesIn.sum();
    }

    /** Records appended since start. */
    public long recordsIn() {
        return recordsIn.sum();
    }

    /** Bytes of record batches handed to fetches since start. */
    public long bytesOut() {
        return bytesOut.sum();
    }

    /** Batches that were refused since start. */
    public long failedProduces() {
        return failedProduces.sum();
    }
}
