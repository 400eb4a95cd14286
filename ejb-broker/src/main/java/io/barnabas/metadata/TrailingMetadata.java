package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * The same metadata, for listeners that take their time: they are told on an executor, so that the journal goes on while a thousand logs
 * are opened. What has changed meanwhile is told as one change with the image after it, so no more waits than there are metadata.
 * {@link #image} is ahead of what the listeners have taken; who must not be asks {@link #isSettled}.
 *
 * <p>Before it: {@link ReplayedMetadata}, whose thread only notes the changes. After it: this broker's partitions and what copies them.
 * Thread: listeners are told by one task of the executor at a time, in the order in which they came.
 */
public final class TrailingMetadata implements Metadata, AutoCloseable {
    private final Metadata source;
    private final Executor executor;
    private final Consumer<Throwable> onFailure;
    private final Object telling = new Object(); // held while listeners are told; taken before this
    private final List<Listener> listeners = new ArrayList<>(); // guarded by telling
    private final List<Waiter> waiters = new ArrayList<>(); // guarded by this, as all that follows
    private @Nullable Change waiting;
    private MetadataImage latest; // what waiting leads to
    private int waitingPartitions;
    private int toldPartitions; // of the change that is being told
    private boolean scheduled;
    private boolean ended;
    private volatile MetadataImage told; // written under telling and this

    private record Waiter(long index, CompletableFuture<@Nullable Void> settled) {}

    private TrailingMetadata(Metadata source, Executor executor, Consumer<Throwable> onFailure) {
        this.source = source;
        this.executor = executor;
        this.onFailure = onFailure;
        this.latest = source.image();
        this.told = latest;
    }

    /**
     * Follows {@code source} from now on.
     *
     * @param executor its tasks may block
     * @param onFailure told, once, what a listener threw: none is told anything after that
     */
    public static TrailingMetadata of(Metadata source, Executor executor, Consumer<Throwable> onFailure) {
        TrailingMetadata trailing = new TrailingMetadata(source, executor, onFailure);
        source.onChange(trailing::note);
        return trailing;
    }

    @Override
    public MetadataImage image() {
        return source.image();
    }

    /** Waits for those who are being told; the first call carries what they have been told of all. */
    @Override
    public void onChange(Listener listener) {
        synchronized (telling) {
            listeners.add(listener);
            listener.onChange(everythingIn(told), told);
        }
    }

    private static Change everythingIn(MetadataImage image) {
        Set<Uuid> topics = new LinkedHashSet<>();
        image.topics().forEach(topic -> topics.add(topic.id()));
        Set<Integer> brokers = new LinkedHashSet<>();
        image.brokers().forEach(broker -> brokers.add(broker.id()));
        return new Change(topics, Set.of(), Set.copyOf(image.configResources()), brokers, true);
    }

    private void note(Change change, MetadataImage image) {
        synchronized (this) {
            if (ended) {
                return;
            }
            waiting = waiting == null ? change : merged(waiting, change);
            waitingPartitions += partitions(change, image);
            latest = image;
            if (scheduled) {
                return;
            }
            scheduled = true;
        }
        executor.execute(this::tell);
    }

    private static int partitions(Change change, MetadataImage image) {
        int partitions = 0;
        for (Uuid id : change.topics()) {
            TopicImage topic = image.topic(id);
            partitions += topic == null ? 0 : topic.partitions().size();
        }
        for (TopicImage topic : change.deletedTopics()) {
            partitions += topic.partitions().size();
        }
        return partitions;
    }

    /** What two changes, one after the other, come to. A topic that is gone again is named, and not in the image. */
    static Change merged(Change first, Change second) {
        return new Change(
                union(first.topics(), second.topics()),
                union(first.deletedTopics(), second.deletedTopics()),
                union(first.configs(), second.configs()),
                union(first.brokers(), second.brokers()),
                first.features() || second.features());
    }

    private static <T> Set<T> union(Set<T> first, Set<T> second) {
        if (second.isEmpty()) {
            return first;
        }
        if (first.isEmpty()) {
            return second;
        }
        Set<T> both = new LinkedHashSet<>(first);
        both.addAll(second);
        return Collections.unmodifiableSet(both);
    }

    private void tell() {
        List<Waiter> reached;
        try {
            synchronized (telling) {
                Change change;
                MetadataImage image;
                synchronized (this) {
                    change = waiting;
                    image = latest;
                    waiting = null;
                    toldPartitions = waitingPartitions;
                    waitingPartitions = 0;
                }
                if (change != null) {
                    listeners.forEach(listener -> listener.onChange(change, image));
                }
                synchronized (this) {
                    told = image;
                    toldPartitions = 0;
                    reached = reached(image.index());
                }
            }
        } catch (Throwable e) {
            end();
            onFailure.accept(e);
            return;
        }
        reached.forEach(waiter -> waiter.settled.complete(null));
        again();
    }

    private List<Waiter> reached(long index) {
        List<Waiter> reached = new ArrayList<>();
        for (Iterator<Waiter> each = waiters.iterator(); each.hasNext(); ) {
            Waiter waiter = each.next();
            if (waiter.index <= index) {
                each.remove();
                reached.add(waiter);
            }
        }
        return reached;
    }

    /** Other tasks of the executor have their turn in between. */
    private void again() {
        synchronized (this) {
            if (waiting == null) {
                scheduled = false;
                notifyAll();
                return;
            }
        }
        executor.execute(this::tell);
    }

    private synchronized void end() {
        ended = true;
        scheduled = false;
        waiting = null;
        notifyAll();
    }

    @Override
    public boolean isSettled() {
        return told.index() >= source.image().index();
    }

    @Override
    public synchronized int unsettledPartitions() {
        return waitingPartitions + toldPartitions;
    }

    @Override
    public CompletableFuture<@Nullable Void> settled() {
        CompletableFuture<@Nullable Void> settled = new CompletableFuture<>();
        long index = source.image().index();
        synchronized (this) {
            if (told.index() < index) {
                waiters.add(new Waiter(index, settled));
                return settled;
            }
        }
        settled.complete(null);
        return settled;
    }

    /** Takes no more changes, and waits until what was noted has been told. Idempotent. */
    @Override
    public void close() {
        boolean interrupted = false;
        synchronized (this) {
            ended = true;
            while (scheduled) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
