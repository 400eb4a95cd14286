package io.barnabas.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.junit.jupiter.api.Test;

/** No request is left without an answer, and no shard that is half changed goes on, whatever throws. */
class ShardHostTest {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);
    private static final int RELOAD_DELAY_MS = 500;

    private final ManualClock clock = new ManualClock();
    private final ManualTicker ticker = new ManualTicker(clock);
    private final MemoryPartitionWriter log = new MemoryPartitionWriter();
    private final List<CountingShard> shards = new ArrayList<>();
    private Executor workers = Runnable::run;
    private final CoordinatorRuntime<CountingShard> runtime = new CoordinatorRuntime<>(
            new CoordinatorRuntime.Settings("t", 5_000, RELOAD_DELAY_MS, 64),
            new CoordinatorRuntime.Environment(clock, ticker, task -> workers.execute(task), log),
            new Types(),
            (partition, timers) -> {
                CountingShard shard = new CountingShard(timers.create());
                shards.add(shard);
                return shard;
            });

    @Test
    void a_log_that_is_gone_between_append_and_commit_fails_the_request_and_loads_again() {
        runtime.onElected(0, 1);
        log.goneForWatches(1);

        CompletableFuture<String> answer = append();

        assertThat(errorOf(answer)).isEqualTo(Errors.NOT_COORDINATOR);
        ticker.advance(RELOAD_DELAY_MS);
        assertThat(append()).isCompletedWithValue("done");
    }

    @Test
    void a_log_that_is_gone_when_the_shard_is_loaded_makes_it_load_again() {
        runtime.onElected(0, 1);
        append().join();
        runtime.onResigned(0);
        log.goneForWatches(1);

        runtime.onElected(0, 2);
        ticker.advance(RELOAD_DELAY_MS);

        assertThat(append()).isCompletedWithValue("done");
        assertThat(shards.get(shards.size() - 1).loaded).isTrue();
    }

    @Test
    void an_operation_that_fails_unexpectedly_takes_its_shard_with_it() {
        runtime.onElected(0, 1);
        CompletableFuture<String> waiting = new CompletableFuture<>();

        CompletableFuture<String> answer = runtime.submit(0, (shard, reply, outcome) -> {
            shard.broken = true;
            outcome.answer(waiting, "as if all were well");
            outcome.ifRefused(error -> {
                throw new IllegalStateException("nor can it be undone");
            });
            throw new IllegalStateException("a defect of ours");
        });

        assertThat(errorOf(answer)).isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
        assertThat(errorOf(waiting)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(errorOf(append())).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
        ticker.advance(RELOAD_DELAY_MS);
        assertThat(append()).isCompletedWithValue("done");
        assertThat(shards.get(shards.size() - 1).broken).isFalse();
    }

    @Test
    void what_is_to_run_after_the_append_and_fails_takes_the_shard_with_it() {
        runtime.onElected(0, 1);

        CompletableFuture<String> answer = runtime.submit(0, (shard, reply, outcome) -> {
            outcome.append(record());
            outcome.ifApplied(() -> {
                throw new IllegalStateException("a defect of ours");
            });
            outcome.answer(reply, "done");
        });

        assertThat(errorOf(answer)).isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
        ticker.advance(RELOAD_DELAY_MS);
        assertThat(shards).hasSize(2);
        assertThat(shards.get(1).replayed).isEqualTo(1);
    }

    private void loadAgainWithAnUncommittedRecord() {
        runtime.onElected(0, 1);
        log.holdCommits(true);
        append();
        runtime.submit(0, (shard, reply, outcome) -> {
            throw new IllegalStateException("a defect of ours");
        });
        ticker.advance(RELOAD_DELAY_MS);
    }

    @Test
    void what_was_loaded_again_is_told_to_nobody_before_it_is_committed() {
        loadAgainWithAnUncommittedRecord();
        CompletableFuture<Integer> effect = new CompletableFuture<>(); // what goes out to others

        CompletableFuture<Integer> answer = runtime.submit(0, (shard, reply, outcome) -> {
            outcome.answer(reply, shard.replayed);
            outcome.answer(effect, shard.replayed);
        });

        assertThat(shards).hasSize(2);
        assertThat(answer).isNotDone();
        assertThat(effect).isNotDone();
        log.commitAll(PARTITION);
        assertThat(answer).isCompletedWithValue(1);
        assertThat(effect).isCompletedWithValue(1);
    }

    @Test
    void what_was_loaded_again_and_is_lost_is_told_to_nobody() {
        loadAgainWithAnUncommittedRecord();
        CompletableFuture<Integer> answer =
                runtime.submit(0, (shard, reply, outcome) -> outcome.answer(reply, shard.replayed));

        log.loseUncommitted(PARTITION);

        assertThat(errorOf(answer)).isEqualTo(Errors.NOT_COORDINATOR);
    }

    @Test
    void what_a_timer_does_is_done_on_a_worker_not_on_the_tickers_thread() {
        runtime.onElected(0, 1);
        Queue<Runnable> handedOver = new ArrayDeque<>();
        workers = handedOver::add;
        AtomicInteger ran = new AtomicInteger();
        runtime.submit(0, (shard, reply, outcome) -> shard.timer.start(10, later -> ran.incrementAndGet()));

        ticker.advance(10);

        assertThat(ran).hasValue(0);
        handedOver.remove().run();
        assertThat(ran).hasValue(1);
    }

    private CompletableFuture<String> append() {
        return runtime.submit(0, (shard, reply, outcome) -> {
            outcome.append(record());
            outcome.answer(reply, "done");
        });
    }

    private static CoordinatorRecord record() {
        return CoordinatorRecord.of(new OffsetCommitKey(), new OffsetCommitValue(), 0);
    }

    private static Errors errorOf(CompletableFuture<?> answer) {
        assertThat(answer).isCompletedExceptionally();
        return answer.handle((value, failure) -> Errors.forException(failure)).join();
    }

    private static final class CountingShard implements CoordinatorShard {
        private int replayed;
        private boolean loaded;
        private boolean broken;
        private final ShardTimer timer;

        private CountingShard(ShardTimer timer) {
            this.timer = timer;
        }

        @Override
        public void replay(long offset, long producerId, CoordinatorRecord record) {
            replayed++;
        }

        @Override
        public void replayMarker(long producerId, boolean committed) {}

        @Override
        public void onLoaded(Outcome outcome) {
            loaded = true;
        }

        @Override
        public void onUnloaded(Outcome outcome) {
            if (broken) {
                throw new IllegalStateException("half changed");
            }
        }
    }

    private static final class Types implements RecordTypes {
        @Override
        public ApiMessage newKey(short type) {
            return new OffsetCommitKey();
        }

        @Override
        public ApiMessage newValue(short type) {
            return new OffsetCommitValue();
        }
    }
}
