package io.barnabas.system.cluster;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What became of the records of one partition, whose producer sent rising numbers.
 *
 * @param acknowledged numbers that were acknowledged
 * @param lost acknowledged, but not there at the end
 * @param duplicated there more than once
 * @param reordered there behind a greater number
 * @param changed offsets that hold something else at the end than what was acknowledged or read there
 * @param failed sends that the client gave up
 * @param failure the first of them, or null
 */
record Verdict(int acknowledged, int lost, int duplicated, int reordered, int changed, int failed, Exception failure) {
    /**
     * A record that is there.
     *
     * @param number what the producer sent
     */
    record Entry(long offset, long number) {}

    /**
     * Compares.
     *
     * @param acknowledged offsets by number
     * @param seen numbers by offset, as a reader found them meanwhile
     * @param log all that is there at the end, in order
     */
    static Verdict of(
            Map<Long, Long> acknowledged, Map<Long, Long> seen, List<Entry> log, int failed, Exception firstFailure) {
        Map<Long, Long> there = new HashMap<>(); // number by offset
        Set<Long> numbers = new HashSet<>();
        int duplicated = 0;
        int reordered = 0;
        long greatest = -1;
        for (Entry entry : log) {
            there.put(entry.offset(), entry.number());
            if (!numbers.add(entry.number())) {
                duplicated++;
            } else if (entry.number() < greatest) {
                reordered++;
            }
            greatest = Math.max(greatest, entry.number());
        }
        int lost = (int) acknowledged.keySet().stream()
                .filter(number -> !numbers.contains(number))
                .count();
        Set<Long> changed = new HashSet<>();
        acknowledged.forEach((number, offset) -> note(changed, there, offset, number));
        seen.forEach((offset, number) -> note(changed, there, offset, number));
        return new Verdict(acknowledged.size(), lost, duplicated, reordered, changed.size(), failed, firstFailure);
    }

    private static void note(Set<Long> changed, Map<Long, Long> there, long offset, long number) {
        Long now = there.get(offset);
        if (now == null || now != number) {
            changed.add(offset);
        }
    }

    /** Whether everything that was acknowledged is there once, in order, where it was said to be, and nothing was given up. */
    boolean flawless() {
        return lost == 0 && duplicated == 0 && reordered == 0 && changed == 0 && failed == 0;
    }
}
