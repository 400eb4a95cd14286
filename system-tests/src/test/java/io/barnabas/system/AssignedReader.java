package io.barnabas.system;

import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import io.barnabas.system.checker.Poll;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Reads everything from the beginning, without a group. */
final class AssignedReader extends HistoryClient {
    private final Operation.Isolation isolation;

    AssignedReader(String name, String bootstrap, long seed, Operation.Isolation isolation) {
        super(name, bootstrap, seed);
        this.isolation = isolation;
    }

    @Override
    void live() {
        String level = "read_" + isolation.name().toLowerCase(Locale.ROOT);
        try (KafkaConsumer<byte[], Long> consumer = consumer(Map.of("isolation.level", level))) {
            consumer.assign(allPartitions());
            while (running()) {
                Operation.Recording operation = begin(Operation.Kind.PLAIN).isolation(isolation);
                for (int i = random.nextInt(3); i >= 0; i--) {
                    Poll poll = poll(consumer, 100);
                    operation.polled(poll);
                }
                record(operation.end(Outcome.OK));
            }
        }
    }
}
