package io.barnabas.net;

import io.barnabas.port.ClusterKey;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;

/**
 * Puts TLS under the frames of a connection between nodes of the cluster: both sides show their keys. Made with the sockets of a side;
 * {@link #secure} is called on each connection's event loop before anything else is in its pipeline but the frames.
 */
final class ClusterTls {
    private final SslContext context;

    private ClusterTls(SslContext context) {
        this.context = context;
    }

    /** For the side that is connected to. @throws IOException if the key cannot be used */
    static ClusterTls accepting(ClusterKey key) throws IOException {
        return new ClusterTls(SslContextBuilder.forServer(key.keys())
                .sslProvider(SslProvider.JDK)
                .trustManager(key.trust())
                .protocols(ClusterKey.PROTOCOL)
                .clientAuth(ClientAuth.REQUIRE)
                .build());
    }

    /** For the side that connects. @throws IOException if the key cannot be used */
    static ClusterTls connecting(ClusterKey key) throws IOException {
        return new ClusterTls(SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .keyManager(key.keys())
                .trustManager(key.trust())
                .protocols(ClusterKey.PROTOCOL)
                .endpointIdentificationAlgorithm(null) // see ClusterKey: a node is known by its key
                .build());
    }

    /** The first two handlers of a connection. */
    void secure(Channel channel, FrameDecoder frames, FrameContext context) {
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addFirst("decrypted", new DecryptedFrames(frames, context));
        pipeline.addFirst("tls", this.context.newHandler(channel.alloc()));
    }
}
