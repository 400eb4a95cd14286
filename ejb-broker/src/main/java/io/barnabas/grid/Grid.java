package io.barnabas.grid;

import java.util.List;
import java.util.function.IntConsumer;

/**
 * The data grid as this node sees it: hints, which may be late, wrong, or different on another node, and which nothing is granted on.
 * Safe from any thread.
 */
public interface Grid {
    /** There is none. */
    Grid NONE = new Grid() {
        @Override
        public List<GridMember> members() {
            return List.of();
        }

        @Override
        public void onLeft(IntConsumer told) {
            // nobody ever does
        }
    };

    /** Who is there, this node among them, who has been there longest first; empty while this node is not in the grid. */
    List<GridMember> members();

    /** Has {@code told} be told, on any thread, the ids of nodes that leave from now on. */
    void onLeft(IntConsumer told);
}
