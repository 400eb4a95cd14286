package io.barnabas.metadata;

import java.util.List;
import java.util.concurrent.Executor;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Metadata and controller for tests of what stands on them: in memory, synchronous (a submitted command is committed, in the image and
 * answered when {@code submit} returns), with one registered broker.
 */
public final class TestMetadata {
    public static final int NODE_ID = 1;
    public static final String CLUSTER_ID = "AAAAAAAAQACAAAAAAAAAAQ";

    private final ReplayedMetadata metadata;
    private final SimulatedMetadataLog log;
    private final Controller controller;

    /** One broker, 1, at localhost:9092, unfenced. */
    public TestMetadata() {
        this(CLUSTER_ID);
    }

    /** A cluster of another id. */
    public TestMetadata(String clusterId) {
        metadata = new ReplayedMetadata(clusterId, e -> {
            throw new AssertionError(e);
        });
        log = new SimulatedMetadataLog(NODE_ID);
        log.start(metadata);
        controller = new Controller(log, metadata, NODE_ID, Runnable::run);
        RegisterBrokerRecord broker = new RegisterBrokerRecord()
                .setBrokerId(NODE_ID)
                .setIncarnationId(new Uuid(1, 1))
                .setFenced(false)
                .setLogDirs(List.of(new Uuid(1, 100)));
        broker.endPoints()
                .add(new RegisterBrokerRecord.BrokerEndpoint()
                        .setName("PLAINTEXT")
                        .setHost("localhost")
                        .setPort(9092));
        broker.features()
                .add(new RegisterBrokerRecord.BrokerFeature()
                        .setName("metadata.version")
                        .setMinSupportedVersion((short) 33)
                        .setMaxSupportedVersion((short) 33));
        replay(new FeatureLevelRecord().setName("metadata.version").setFeatureLevel((short) 33), broker);
    }

    /** The metadata as what is kept beside the image sees it. */
    public ReplayedMetadata replayed() {
        return metadata;
    }

    public Metadata metadata() {
        return metadata;
    }

    public MetadataImage image() {
        return metadata.image();
    }

    public Controller controller() {
        return controller;
    }

    /** Another controller of the same metadata, whose commands run when {@code executor} says. */
    public Controller controller(Executor executor) {
        return new Controller(log, metadata, NODE_ID, executor);
    }

    /** Commits these records as one entry. */
    public void replay(ApiMessage... records) {
        controller
                .submit("test", image -> Controller.Decision.of(List.of(records), true))
                .join();
    }
}
