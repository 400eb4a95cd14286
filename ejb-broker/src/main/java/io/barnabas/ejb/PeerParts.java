package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.metadata.BrokerProbe;
import io.barnabas.metadata.ControllerChannel;
import io.barnabas.metadata.ControllerRequests;
import io.barnabas.metadata.MetadataNode;
import io.barnabas.peer.BrokerLinks;
import io.barnabas.peer.PeerControllerChannel;
import io.barnabas.port.BrokerPort;
import io.barnabas.request.EnvelopeHandler;
import io.barnabas.request.Forwarder;
import io.barnabas.request.HandlerRegistry;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Puts together what this broker asks the others with, for {@link BrokerNode}. */
final class PeerParts implements AutoCloseable {
    private final BrokerLinks links;
    private final PeerControllerChannel channel;
    private final Forwarder forwarder;
    private final MetadataNode metadata;
    private volatile @Nullable EnvelopeHandler envelopes; // once the handlers are there

    /** @param controller answers brokers while this node is the controller */
    PeerParts(BrokerPort port, BrokerConfig atStart, MetadataNode metadata, ControllerRequests controller) {
        this.metadata = metadata;
        this.links = new BrokerLinks(
                port.peers(),
                metadata.metadata(),
                atStart.listeners().interBroker(),
                BrokerLinks.Identity.of(atStart.nodeId()),
                port.clock());
        this.channel = new PeerControllerChannel(
                metadata.metadata(),
                request ->
                        request instanceof EnvelopeRequestData envelope ? answer(envelope) : controller.handle(request),
                links,
                port.clock(),
                port.ticker());
        this.forwarder = new Forwarder(channel, metadata.controller()::isActive, atStart.getInt("request.timeout.ms"));
    }

    /** A request that was to be forwarded and has found the controller to be here by now. */
    private CompletableFuture<ApiMessage> answer(EnvelopeRequestData envelope) {
        EnvelopeHandler handler = envelopes;
        return handler != null
                ? handler.answer(envelope)
                : CompletableFuture.completedFuture(
                        new EnvelopeResponseData().setErrorCode(Errors.NOT_CONTROLLER.code()));
    }

    ControllerChannel channel() {
        return channel;
    }

    BrokerLinks links() {
        return links;
    }

    /** What looks whether another broker is there. */
    BrokerProbe probe() {
        return links.probe();
    }

    Forwarder forwarder() {
        return forwarder;
    }

    /** The handler of what others forward; it goes into the registry, too. */
    EnvelopeHandler envelopes(HandlerRegistry handlers) {
        EnvelopeHandler handler = new EnvelopeHandler(handlers, metadata.controller()::isActive);
        envelopes = handler;
        return handler;
    }

    /** What waits for another broker fails. */
    @Override
    public void close() {
        channel.close();
        links.close();
    }
}
