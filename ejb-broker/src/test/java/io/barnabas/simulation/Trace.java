package io.barnabas.simulation;

import java.util.ArrayDeque;
import java.util.Deque;

/** What happened in a run: the last events in words, all of them as a hash. */
final class Trace {
    private static final int KEPT = Integer.getInteger("barnabas.trace", 60);
    private static final long FNV_PRIME = 0x100000001b3L;

    private final Deque<String> last = new ArrayDeque<>();
    private long hash = 0xcbf29ce484222325L;
    private int step;

    void step(int number) {
        step = number;
    }

    int step() {
        return step;
    }

    void note(String event) {
        String line = step + " " + event;
        for (int i = 0; i < line.length(); i++) {
            hash = (hash ^ line.charAt(i)) * FNV_PRIME;
        }
        last.addLast(line);
        if (last.size() > KEPT) {
            last.removeFirst();
        }
    }

    long hash() {
        return hash;
    }

    String lastEvents() {
        return String.join("\n", last);
    }
}
