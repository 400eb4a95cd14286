package io.barnabas.simulation;

import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.partition.LocalPartition;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** Broken: knows a producer's last {@code window} batches only, where five may be under way. */
final class ForgetfulTwin extends Product {
    private final int window;
    private final Map<Long, Deque<Known>> known = new HashMap<>();

    ForgetfulTwin(int window) {
        this.window = window;
    }

    private record Known(int sequence, AppendResult result) {}

    @Override
    AppendResult append(LocalPartition partition, ProducingClient.Batch batch) {
        Deque<Known> recent = known.computeIfAbsent(batch.producerId(), id -> new ArrayDeque<>());
        for (Known each : recent) {
            if (each.sequence == batch.sequence()) {
                return each.result;
            }
        }
        AppendResult result = partition.append(batch.bytes(false), AppendOrigin.CLIENT, (short) -1);
        recent.addLast(new Known(batch.sequence(), result));
        while (recent.size() > window) {
            recent.removeFirst();
        }
        return result;
    }
}
