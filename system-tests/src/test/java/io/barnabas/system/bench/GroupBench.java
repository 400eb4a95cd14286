package io.barnabas.system.bench;

import java.util.Locale;
import org.apache.kafka.common.GroupType;

/**
 * What groups cost a broker, Barnabas or Apache Kafka, and how long they take. Arguments: address of the broker, its pid,
 * {@code classic} or {@code consumer}, the scene, and how many rounds are measured (after one that is not).
 *
 * <ul>
 *   <li>{@code many}: 1,000 members in 100 groups join at once; then heartbeats, 2,000 each second
 *   <li>{@code rebalance}: one more joins a group of 200 that shares 500 partitions, and leaves it
 *   <li>{@code alone}: a stock consumer's time to its first record, in a group that is new
 *   <li>{@code fifth}: the same in a group of four others
 *   <li>{@code session}: an incremental fetch session of 5,000 partitions (of no group; the protocol is of no matter)
 * </ul>
 *
 * CPU is the broker's without its compiler threads, and without what it uses when idle.
 */
public final class GroupBench {
    private GroupBench() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 5) {
            throw new IllegalArgumentException("arguments: BOOTSTRAP PID classic|consumer SCENE ROUNDS");
        }
        Broker broker = new Broker(args[0], new BrokerCpu(Long.parseLong(args[1])));
        GroupType protocol = GroupType.parse(args[2]);
        int rounds = Integer.parseInt(args[4]);
        switch (args[3]) {
            case "many" -> new GroupScenes(broker, protocol).many(rounds);
            case "rebalance" -> new GroupScenes(broker, protocol).rebalance(rounds);
            case "alone" -> new FirstRecordScene(broker, protocol).alone(rounds);
            case "fifth" -> new FirstRecordScene(broker, protocol).fifth(rounds);
            case "session" -> new FetchSessionScene(broker).run(rounds);
            default -> throw new IllegalArgumentException("no such scene: " + args[3]);
        }
    }

    /** The broker that is measured. */
    record Broker(String bootstrap, BrokerCpu cpu) {}

    static void say(String name, Samples samples, String unit) {
        System.out.printf(
                Locale.ROOT,
                "%-40s %10.2f %-12s (%.2f to %.2f, %d rounds)%n",
                name,
                samples.median(),
                unit,
                samples.least(),
                samples.most(),
                samples.count());
    }
}
