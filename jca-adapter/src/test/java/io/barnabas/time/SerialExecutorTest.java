package io.barnabas.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class SerialExecutorTest {
    private final Queue<Runnable> overflow = new ArrayDeque<>();
    private final List<String> ran = new ArrayList<>();
    private final SerialExecutor executor = new SerialExecutor(overflow::add, 2, failure -> ran.add("failed"));

    @Test
    void a_free_executor_runs_a_task_on_the_callers_thread() {
        executor.execute(() -> ran.add("a"));

        assertThat(ran).containsExactly("a");
        assertThat(overflow).isEmpty();
    }

    @Test
    void what_is_handed_over_is_never_run_on_the_callers_thread_and_keeps_its_turn() {
        executor.handOver(() -> ran.add("a"));
        executor.execute(() -> ran.add("b"));

        assertThat(ran).isEmpty();
        overflow.remove().run();
        assertThat(ran).containsExactly("a", "b");
        executor.execute(() -> ran.add("c"));
        assertThat(ran).containsExactly("a", "b", "c");
    }

    @Test
    void a_thread_runs_no_more_tasks_than_its_share_and_a_failed_one_stops_nothing() {
        executor.execute(() -> {
            executor.execute(() -> {
                throw new IllegalStateException();
            });
            executor.execute(() -> ran.add("c"));
            ran.add("a");
        });

        assertThat(ran).containsExactly("a", "failed");
        overflow.remove().run();
        assertThat(ran).containsExactly("a", "failed", "c");
    }
}
