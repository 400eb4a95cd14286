package io.barnabas.partition;

import io.barnabas.metadata.PartitionImage;

/**
 * Who leads a partition, as the metadata says, in the form that the data path asks for. Immutable: a change replaces it.
 *
 * @param leads this broker leads
 * @param startOffset the log end offset when this broker began to lead in this epoch
 */
record Leadership(boolean leads, long startOffset, PartitionImage image) {
    int epoch() {
        return image.leaderEpoch();
    }

    /** Fewer in-sync replicas than acks=all needs: min.insync.replicas, though never more than there are replicas. */
    boolean underMinIsr(int minInsyncReplicas) {
        return image.isr().size() < Math.min(minInsyncReplicas, image.replicas().size());
    }

    boolean atMinIsr(int minInsyncReplicas) {
        return image.isr().size()
                == Math.min(minInsyncReplicas, image.replicas().size());
    }

    /** There is no other replica: what this one has is committed, and nobody is to be asked. */
    boolean single() {
        return image.replicas().size() <= 1;
    }

    /** Nobody but this broker is in sync, so that an append may raise the high watermark; joining followers may hold it still. */
    boolean aloneInSync() {
        return image.isr().size() <= 1;
    }
}
