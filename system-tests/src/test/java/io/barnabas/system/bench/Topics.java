package io.barnabas.system.bench;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;

/** Makes and drops the topics of a scene. */
final class Topics implements AutoCloseable {
    private static final long TIMEOUT_S = 120;
    private static final long SETTLE_MS = 1_000;

    private final Admin admin;
    private final List<String> names;

    /** Makes {@code count} topics with names that nobody else has. */
    Topics(String bootstrap, int count, int partitions) throws Exception {
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        String prefix = "bench-" + Uuid.randomUuid().toString().replace('-', '.') + "-";
        names = IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
        admin.createTopics(names.stream()
                        .map(name -> new NewTopic(name, partitions, (short) 1))
                        .toList())
                .all()
                .get(TIMEOUT_S, TimeUnit.SECONDS);
        pause(SETTLE_MS);
    }

    List<String> names() {
        return names;
    }

    String name() {
        return names.get(0);
    }

    Uuid id(String name) throws Exception {
        return admin.describeTopics(List.of(name))
                .topicNameValues()
                .get(name)
                .get(TIMEOUT_S, TimeUnit.SECONDS)
                .topicId();
    }

    static void pause(long ms) {
        long end = System.nanoTime() + ms * 1_000_000;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void close() {
        try {
            admin.deleteTopics(names)
                    .all()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
        } finally {
            admin.close();
        }
    }
}
