package io.barnabas.system;

import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.KafkaProducer;

/** Sends a few values at a time with an idempotent producer, outside transactions. */
final class PlainSender extends HistoryClient {
    PlainSender(String name, String bootstrap, long seed) {
        super(name, bootstrap, seed);
    }

    @Override
    void live() {
        try (KafkaProducer<byte[], Long> producer = producer(Map.of("enable.idempotence", true))) {
            while (running()) {
                Operation.Recording operation = begin(Operation.Kind.PLAIN);
                List<Pending> sends = new ArrayList<>();
                for (int i = random.nextInt(5); i >= 0; i--) {
                    sends.add(send(producer, anyPartition(), Optional.empty()));
                }
                settle(sends, operation);
                record(operation.end(Outcome.OK));
                pause(20);
            }
        }
    }
}
