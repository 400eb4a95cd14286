package io.barnabas.system.checker;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/** A directed graph over numbered nodes, and Tarjan's search for its strongly connected components, without recursion. */
final class StrongComponents {
    private static final int UNSEEN = -1;

    private final List<int[]> edges = new ArrayList<>();
    private final List<Integer> degrees = new ArrayList<>();

    /** Adds a node and returns its number. */
    int node() {
        edges.add(new int[2]);
        degrees.add(0);
        return edges.size() - 1;
    }

    void edge(int from, int to) {
        int degree = degrees.get(from);
        if (degree == edges.get(from).length) {
            edges.set(from, Arrays.copyOf(edges.get(from), 2 * degree));
        }
        edges.get(from)[degree] = to;
        degrees.set(from, degree + 1);
    }

    /** The components of more than one node: whatever is on a cycle. */
    List<List<Integer>> cycles() {
        Search search = new Search(edges.size());
        for (int node = 0; node < edges.size(); node++) {
            if (search.index[node] == UNSEEN) {
                search.from(node);
            }
        }
        return search.cycles;
    }

    private final class Search {
        private final int[] index;
        private final int[] low;
        private final int[] next; // the edge of each node that is to be followed next
        private final boolean[] onStack;
        private final Deque<Integer> stack = new ArrayDeque<>();
        private final List<List<Integer>> cycles = new ArrayList<>();
        private int seen;

        Search(int nodes) {
            index = new int[nodes];
            Arrays.fill(index, UNSEEN);
            low = new int[nodes];
            next = new int[nodes];
            onStack = new boolean[nodes];
        }

        void from(int root) {
            Deque<Integer> path = new ArrayDeque<>();
            enter(root, path);
            while (!path.isEmpty()) {
                int node = path.peek();
                if (next[node] < degrees.get(node)) {
                    int to = edges.get(node)[next[node]++];
                    if (index[to] == UNSEEN) {
                        enter(to, path);
                    } else if (onStack[to]) {
                        low[node] = Math.min(low[node], index[to]);
                    }
                } else {
                    path.pop();
                    leave(node, path);
                }
            }
        }

        private void enter(int node, Deque<Integer> path) {
            index[node] = seen;
            low[node] = seen++;
            onStack[node] = true;
            stack.push(node);
            path.push(node);
        }

        private void leave(int node, Deque<Integer> path) {
            if (!path.isEmpty()) {
                low[path.peek()] = Math.min(low[path.peek()], low[node]);
            }
            if (low[node] != index[node]) {
                return;
            }
            List<Integer> component = new ArrayList<>();
            int member;
            do {
                member = stack.pop();
                onStack[member] = false;
                component.add(member);
            } while (member != node);
            if (component.size() > 1) {
                cycles.add(component);
            }
        }
    }
}
