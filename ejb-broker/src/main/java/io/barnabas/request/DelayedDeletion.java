package io.barnabas.request;

import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.Partition.Registration;
import io.barnabas.partition.Partition.Watcher;
import io.barnabas.time.Ticker.Timeout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A DeleteRecords whose records are gone at the leader: is answered when every live replica has dropped them too (KIP-107), each partition
 * by its own fate, or when the time is over. After {@link DeleteRecordsHandler}.
 *
 * <p>Looks on the threads of followers' fetches, of the metadata and of the ticker, under its own monitor; the answer is given outside of it.
 */
final class DelayedDeletion {
    private final Runnable answer;
    private final List<Awaited> awaited = new ArrayList<>(); // guarded by this
    private final Consumer<Errors> onError;
    private @Nullable Timeout timeout; // guarded by this
    private boolean done; // guarded by this

    /**
     * @param answer gives the answer, whose parts are complete then; run once
     * @param onError counts an error of a partition
     */
    DelayedDeletion(Runnable answer, Consumer<Errors> onError) {
        this.answer = answer;
        this.onError = onError;
    }

    /** A partition whose replicas have not all dropped what is below {@code offset}; looks again whenever one may have. */
    private final class Awaited implements Watcher {
        private final LocalPartition partition;
        private final long offset;
        private final DeleteRecordsPartitionResult result;
        private final Registration registration;

        Awaited(LocalPartition partition, long offset, DeleteRecordsPartitionResult result) {
            this.partition = partition;
            this.offset = offset;
            this.result = result;
            this.registration = partition.watch(this);
        }

        @Override
        public void onAdvance(int bytes) {
            // records come and go elsewhere
        }

        @Override
        public void onLogStart() {
            look(false);
        }

        @Override
        public void onDisturbance() {
            look(false);
        }

        /** Whether its fate is known, which is in its result then. */
        boolean settled(boolean lastTime) {
            Errors error = Errors.NONE;
            long low = -1;
            try {
                partition.logAt(LocalPartition.ANY_EPOCH, true);
                low = partition.followers().lowWatermark();
            } catch (RuntimeException e) {
                error = Errors.forException(e);
            }
            if (error == Errors.NONE && low < offset) {
                if (!lastTime) {
                    return false;
                }
                error = Errors.REQUEST_TIMED_OUT;
            }
            result.setLowWatermark(low).setErrorCode(error.code());
            if (error != Errors.NONE) {
                onError.accept(error);
            }
            registration.cancel();
            return true;
        }
    }

    /** Waits for the replicas of this partition, too. Before {@link #begin}. */
    synchronized void await(LocalPartition partition, long offset, DeleteRecordsPartitionResult result) {
        awaited.add(new Awaited(partition, offset, result));
    }

    /** Answers now, or begins to wait. */
    void begin(DataPath path, int timeoutMs) {
        synchronized (this) {
            if (timeoutMs > 0) {
                timeout = path.ticker().after(timeoutMs, () -> look(true));
            }
        }
        look(timeoutMs <= 0);
    }

    private void look(boolean lastTime) {
        synchronized (this) {
            if (done) {
                return;
            }
            awaited.removeIf(each -> each.settled(lastTime));
            if (!awaited.isEmpty() || (timeout == null && !lastTime)) {
                return; // also while partitions are still added
            }
            done = true;
            if (timeout != null) {
                timeout.cancel();
            }
        }
        answer.run();
    }
}
