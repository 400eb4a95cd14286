package io.barnabas.grid;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;

/** A grid whose members come and go as a test says. */
final class KnownGrid implements Grid {
    private final List<GridMember> members = new CopyOnWriteArrayList<>();
    private final List<IntConsumer> told = new ArrayList<>();

    void join(GridMember member) {
        members.add(member);
    }

    void leave(int nodeId) {
        members.removeIf(member -> member.nodeId() == nodeId);
        told.forEach(listener -> listener.accept(nodeId));
    }

    @Override
    public List<GridMember> members() {
        return List.copyOf(members);
    }

    @Override
    public void onLeft(IntConsumer listener) {
        told.add(listener);
    }
}
