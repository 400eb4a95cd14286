package io.barnabas.ejb;

import io.barnabas.metadata.MetadataNode;
import io.barnabas.port.BrokerPort;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that votes on metadata and holds no partitions, so that two brokers have a majority without each other. It is not registered as a
 * broker, so no broker could reach it as the controller: whenever it is elected, because it had most of the log, it hands the lead on.
 * For {@link BrokerNode}; on a worker.
 */
final class Witness {
    private static final Logger LOG = LoggerFactory.getLogger(Witness.class);
    private static final long AGAIN_MS = 200;

    private final MetadataNode metadata;
    private final BrokerPort port;
    private final AtomicBoolean handing = new AtomicBoolean();

    private Witness(MetadataNode metadata, BrokerPort port) {
        this.metadata = metadata;
        this.port = port;
    }

    /** From now on this node leads no longer than it must. */
    static void begin(MetadataNode metadata, BrokerPort port, int nodeId) {
        LOG.info("This node is a witness: it votes on metadata and is no broker; node={}", nodeId);
        Witness witness = new Witness(metadata, port);
        metadata.metadata().onChange((change, image) -> {
            if (image.controllerId() == nodeId) {
                witness.handOn();
            }
        });
    }

    private void handOn() {
        if (!port.closing() && handing.compareAndSet(false, true)) {
            port.workers().execute(() -> {
                try {
                    metadata.handOver();
                } finally {
                    handing.set(false);
                }
                if (metadata.controller().isActive()) {
                    port.ticker().after(AGAIN_MS, this::handOn);
                }
            });
        }
    }
}
