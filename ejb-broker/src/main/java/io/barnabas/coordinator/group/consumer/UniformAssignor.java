package io.barnabas.coordinator.group.consumer;

import io.barnabas.coordinator.group.consumer.AssignmentSpec.Subscriber;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;

/**
 * Gives every member as many partitions as any other it can be given to, and moves as few as that needs. Where all are subscribed to
 * the same, no two members differ by more than one partition; else no two subscribers of a topic do, unless the passes run out.
 */
final class UniformAssignor implements Assignor {
    /** Passes over the topics until nothing can be moved; one is enough where subscriptions do not overlap in part. */
    private static final int PASSES_MAX = 16;

    @Override
    public String name() {
        return "uniform";
    }

    @Override
    public Map<String, Map<Uuid, Set<Integer>>> assign(AssignmentSpec spec) {
        return new Run(spec).assign();
    }

    /** A member while partitions are dealt out. */
    private static final class Hand {
        private final int index;
        private final Subscriber subscriber;
        private final Map<Uuid, NavigableSet<Integer>> partitions = new HashMap<>();
        private int load;

        Hand(int index, Subscriber subscriber) {
            this.index = index;
            this.subscriber = subscriber;
        }

        void give(Uuid topic, int partition) {
            partitions.computeIfAbsent(topic, t -> new TreeSet<>()).add(partition);
            load++;
        }

        /** Takes the last partition of a topic that it has some of. */
        int take(Uuid topic) {
            NavigableSet<Integer> some = partitions.getOrDefault(topic, Collections.emptyNavigableSet());
            int partition = some.last();
            some.remove(partition);
            if (some.isEmpty()) {
                partitions.remove(topic);
            }
            load--;
            return partition;
        }

        boolean has(Uuid topic) {
            return partitions.containsKey(topic);
        }
    }

    /** A topic, who is subscribed to it, and what of it nobody has. */
    private record Deal(Uuid topic, int partitions, List<Hand> subscribers, List<Integer> free) {
        double share() {
            return (double) partitions / subscribers.size();
        }
    }

    private static final class Run {
        private static final Comparator<Hand> BY_LOAD =
                Comparator.<Hand>comparingInt(hand -> hand.load).thenComparingInt(hand -> hand.index);

        private final AssignmentSpec spec;
        private final Map<String, Hand> hands = new HashMap<>();
        private final List<Deal> deals = new ArrayList<>();

        Run(AssignmentSpec spec) {
            this.spec = spec;
            List<String> ids = spec.members().keySet().stream().sorted().toList();
            Map<Uuid, List<Hand>> subscribers = new HashMap<>();
            for (String id : ids) {
                Hand hand = new Hand(
                        hands.size(), spec.members().getOrDefault(id, new Subscriber(null, Set.of(), Map.of())));
                hands.put(id, hand);
                hand.subscriber.topics().forEach(topic -> subscribers
                        .computeIfAbsent(topic, t -> new ArrayList<>())
                        .add(hand));
            }
            subscribers.forEach((topic, all) ->
                    deals.add(new Deal(topic, spec.partitions().applyAsInt(topic), all, new ArrayList<>())));
            // those that are hardest to balance first
            deals.sort(Comparator.comparingDouble(Deal::share)
                    .reversed()
                    .thenComparingInt(deal -> deal.subscribers.size())
                    .thenComparing(Deal::topic));
        }

        Map<String, Map<Uuid, Set<Integer>>> assign() {
            deals.forEach(this::keep);
            if (spec.homogeneous()) {
                levelAll();
            }
            deals.forEach(Run::dealFree);
            if (!spec.homogeneous()) {
                balance();
            }
            Map<String, Map<Uuid, Set<Integer>>> assignment = new HashMap<>();
            hands.forEach((id, hand) -> assignment.put(id, new HashMap<>(hand.partitions)));
            return assignment;
        }

        /** Everybody keeps what they had and are still subscribed to. */
        private void keep(Deal deal) {
            boolean[] kept = new boolean[deal.partitions];
            for (Hand hand : deal.subscribers) {
                for (int partition : hand.subscriber.present().getOrDefault(deal.topic, Set.of())) {
                    if (partition < deal.partitions && !kept[partition]) {
                        kept[partition] = true;
                        hand.give(deal.topic, partition);
                    }
                }
            }
            for (int partition = 0; partition < deal.partitions; partition++) {
                if (!kept[partition]) {
                    deal.free.add(partition);
                }
            }
        }

        /** Takes from those who have more than their share; so many may have one more as there are partitions over. */
        private void levelAll() {
            int all = deals.stream().mapToInt(Deal::partitions).sum();
            int least = hands.isEmpty() ? 0 : all / hands.size();
            int over = hands.isEmpty() ? 0 : all % hands.size();
            for (Hand hand : hands.values().stream().sorted(BY_LOAD.reversed()).toList()) {
                int share = least + (over > 0 ? 1 : 0);
                if (hand.load > least) {
                    over--;
                }
                for (Deal deal : deals) {
                    while (hand.load > share && hand.has(deal.topic)) {
                        deal.free.add(hand.take(deal.topic));
                    }
                }
            }
        }

        /** Each free partition goes to the subscriber who has least. */
        private static void dealFree(Deal deal) {
            if (deal.free.isEmpty()) {
                return;
            }
            NavigableSet<Hand> byLoad = byLoad(deal.subscribers);
            for (int partition : deal.free) {
                Hand least = byLoad.first();
                byLoad.remove(least);
                least.give(deal.topic, partition);
                byLoad.add(least);
            }
        }

        private void balance() {
            for (int pass = 0; pass < PASSES_MAX; pass++) {
                boolean moved = false;
                for (Deal deal : deals) {
                    moved |= balance(deal);
                }
                if (!moved) {
                    return;
                }
            }
        }

        /** Moves a topic's partitions from those who have most in all to those who have least. */
        private static boolean balance(Deal deal) {
            NavigableSet<Hand> byLoad = byLoad(deal.subscribers);
            NavigableSet<Hand> givers = byLoad(deal.subscribers.stream()
                    .filter(hand -> hand.has(deal.topic))
                    .toList());
            boolean moved = false;
            while (!givers.isEmpty() && givers.last().load - byLoad.first().load > 1) {
                Hand most = givers.last();
                Hand least = byLoad.first();
                byLoad.remove(most);
                byLoad.remove(least);
                givers.remove(most);
                givers.remove(least);
                least.give(deal.topic, most.take(deal.topic));
                byLoad.add(most);
                byLoad.add(least);
                givers.add(least);
                if (most.has(deal.topic)) {
                    givers.add(most);
                }
                moved = true;
            }
            return moved;
        }

        /** A set must be taken out of before a load changes, and put back after. */
        private static NavigableSet<Hand> byLoad(List<Hand> some) {
            NavigableSet<Hand> byLoad = new TreeSet<>(BY_LOAD);
            byLoad.addAll(some);
            return byLoad;
        }
    }
}
