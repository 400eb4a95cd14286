package io.barnabas.metadata;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metadata as this node knows it: replays what the {@link MetadataLog} commits into the image and tells the listeners. The same on
 * every node, leader or not. Before it: the log's applier. After it: partitions, coordinators and handlers as listeners, and the
 * entities of {@code metadata.jpa}.
 *
 * <p>Thread: entries come from the log's one applying thread, news of the leader from any; a lock makes one writer of them and keeps
 * the listeners' order. {@link #image} takes no lock.
 */
public final class ReplayedMetadata implements Metadata, MetadataLog.StateMachine {
    private static final Logger LOG = LoggerFactory.getLogger(ReplayedMetadata.class);

    private final Consumer<Throwable> onFailure;
    private final Object writer = new Object();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final List<EntryListener> entryListeners = new CopyOnWriteArrayList<>();
    private volatile ReplayedImage image; // written under writer

    /**
     * @param onFailure told, once, what ended the log: the process must stop serving
     */
    public ReplayedMetadata(String clusterId, Consumer<Throwable> onFailure) {
        this.image = ReplayedImage.empty(clusterId);
        this.onFailure = onFailure;
    }

    /** Takes committed entries as such: for what is kept beside the image. */
    public interface EntryListener {
        /** {@code records} of the entry at {@code image.index()} were replayed. Called before the other listeners; must not block. */
        void onEntry(List<ApiMessage> records, MetadataImage image);

        /** The state was replaced by a snapshot, or this is the first call: {@code image} is all there is. */
        void onSnapshot(MetadataImage image);
    }

    @Override
    public MetadataImage image() {
        return image;
    }

    @Override
    public void onChange(Listener listener) {
        synchronized (writer) {
            listeners.add(listener);
            listener.onChange(everythingIn(image), image);
        }
    }

    /** Calls {@code listener} for each entry from now on, after one call with the present image. */
    public void onEntry(EntryListener listener) {
        synchronized (writer) {
            entryListeners.add(listener);
            listener.onSnapshot(image);
        }
    }

    @Override
    public boolean apply(long index, byte[] bytes) {
        MetadataEntry entry = MetadataEntry.decode(bytes);
        synchronized (writer) {
            if (entry.baseIndex() != image.index()) {
                LOG.info(
                        "Void metadata entry: index={} baseIndex={} state={}", index, entry.baseIndex(), image.index());
                return false;
            }
            MetadataDelta delta = new MetadataDelta(image, index).replay(entry.records());
            image = delta.image();
            entryListeners.forEach(listener -> listener.onEntry(entry.records(), image));
            publish(delta.change());
            return true;
        }
    }

    @Override
    public void onLeader(int nodeId) {
        synchronized (writer) {
            if (image.controllerId() != nodeId) {
                LOG.info("Metadata controller: node={} index={}", nodeId, image.index());
                image = image.withController(nodeId);
                publish(new Change(Set.of(), Set.of(), Set.of(), Set.of(), false));
            }
        }
    }

    @Override
    public void onFailure(Throwable cause) {
        onFailure.accept(cause);
    }

    @Override
    public void writeSnapshot(OutputStream out) throws IOException {
        ReplayedImage present = image;
        new MetadataSnapshot(present.index(), present.clusterId(), ImageRecords.of(present)).writeTo(out);
    }

    @Override
    public void restore(long index, InputStream in) throws IOException {
        MetadataSnapshot snapshot = MetadataSnapshot.readFrom(in);
        synchronized (writer) {
            ReplayedImage before = image;
            if (!snapshot.clusterId().equals(before.clusterId())) {
                throw new IOException("The metadata snapshot belongs to cluster " + snapshot.clusterId() + ", this is "
                        + before.clusterId());
            }
            ReplayedImage empty = ReplayedImage.empty(before.clusterId()).withController(before.controllerId());
            image = new MetadataDelta(empty, snapshot.index())
                    .replay(snapshot.records())
                    .image();
            entryListeners.forEach(listener -> listener.onSnapshot(image));
            publish(difference(before, image));
        }
    }

    private void publish(Change change) {
        MetadataImage present = image;
        for (Listener listener : listeners) {
            listener.onChange(change, present);
        }
    }

    private static Change everythingIn(MetadataImage image) {
        return difference(ReplayedImage.empty(image.clusterId()), image);
    }

    private static Change difference(MetadataImage before, MetadataImage after) {
        Set<Uuid> topics = new HashSet<>();
        after.topics().forEach(topic -> topics.add(topic.id()));
        Set<TopicImage> deleted = new HashSet<>(before.topics());
        deleted.removeIf(topic -> topics.contains(topic.id()));
        Set<org.apache.kafka.common.config.ConfigResource> configs = new HashSet<>(before.configResources());
        configs.addAll(after.configResources());
        Set<Integer> brokers = new HashSet<>();
        before.brokers().forEach(broker -> brokers.add(broker.id()));
        after.brokers().forEach(broker -> brokers.add(broker.id()));
        return new Change(Set.copyOf(topics), Set.copyOf(deleted), Set.copyOf(configs), Set.copyOf(brokers), true);
    }
}
