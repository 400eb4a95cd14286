package io.barnabas.system;

import io.barnabas.system.checker.OffsetCommit;
import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import io.barnabas.system.checker.Poll;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** A member of a group that reads both topics and commits what it has read; now and then it leaves, and another comes. */
final class GroupReader extends HistoryClient {
    private final String group;
    private final String protocol;

    GroupReader(String name, String bootstrap, long seed, String protocol) {
        super(name, bootstrap, seed);
        this.group = protocol + "-readers";
        this.protocol = protocol;
    }

    @Override
    void live() {
        try (KafkaConsumer<byte[], Long> consumer = consumer(member(group, protocol))) {
            consumer.subscribe(List.of(IN, OUT), moves());
            do {
                Operation.Recording operation = begin(Operation.Kind.PLAIN);
                Poll poll = poll(consumer, 200);
                if (!poll.reads().isEmpty()) {
                    operation.polled(poll).offsets(new OffsetCommit(group, after(poll)));
                    record(operation.committing().end(commit(consumer, after(poll))));
                }
            } while (running() && random.nextInt(300) > 0);
        }
    }

    private static Outcome commit(KafkaConsumer<byte[], Long> consumer, Map<TopicPartition, Long> offsets) {
        Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
        offsets.forEach((partition, offset) -> commit.put(partition, new OffsetAndMetadata(offset)));
        try {
            consumer.commitSync(commit);
            return Outcome.OK;
        } catch (KafkaException unknown) {
            return Outcome.UNKNOWN;
        }
    }
}
