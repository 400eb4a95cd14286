package io.barnabas.metadata;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;

/**
 * This node's place in the cluster: the controller's service, which serves while this node is the controller, and this broker's
 * registration and producer ids, which ask the controller wherever it is. The composition root opens it after {@link MetadataNode} and
 * closes it before.
 */
public final class Membership implements AutoCloseable {
    private final Metadata metadata;
    private final ControllerService service;
    private final ControllerChannel channel;
    private final BrokerRegistration registration;
    private final ProducerIdAllocator producerIds;
    private final WitnessClock witnessClock;

    private Membership(
            Metadata metadata,
            ControllerService service,
            ControllerChannel channel,
            BrokerRegistration registration,
            WitnessClock witnessClock) {
        this.witnessClock = witnessClock;
        this.metadata = metadata;
        this.service = service;
        this.channel = channel;
        this.registration = registration;
        this.producerIds = new ProducerIdAllocator(registration::allocateProducerIds);
    }

    /** Of this node, over its service and its way to the controller, which may be that service. */
    public static Membership of(
            Metadata metadata,
            LiveConfig config,
            ControllerService service,
            ControllerChannel channel,
            ControllerService.Time time) {
        BrokerConfig atStart = config.atStart();
        BrokerRegistration.Pace pace = new BrokerRegistration.Pace(
                atStart.getInt("broker.heartbeat.interval.ms"),
                atStart.getInt("broker.session.timeout.ms"),
                time.clock(),
                time.ticker());
        BrokerRegistration registration = new BrokerRegistration(channel, metadata, atStart.nodeId(), pace);
        return new Membership(
                metadata, service, channel, registration, new WitnessClock(channel, atStart.nodeId(), time));
    }

    public Metadata metadata() {
        return metadata;
    }

    /** The controller towards brokers, here. */
    public ControllerService service() {
        return service;
    }

    /** The way to the controller, wherever it is. */
    public ControllerChannel channel() {
        return channel;
    }

    public BrokerRegistration registration() {
        return registration;
    }

    /** To be told by a node that is no broker. */
    public WitnessClock witnessClock() {
        return witnessClock;
    }

    public ProducerIdAllocator producerIds() {
        return producerIds;
    }

    /** Ends heartbeats and the controller's duties. Idempotent. */
    @Override
    public void close() {
        registration.close();
        witnessClock.close();
        service.close();
    }
}
