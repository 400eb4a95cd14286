package io.barnabas.metadata;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.thirdparty.io.grpc.CallOptions;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.ServerServiceDefinition;
import org.apache.ratis.thirdparty.io.grpc.netty.GrpcSslContexts;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.apache.ratis.thirdparty.io.grpc.stub.ClientCalls;
import org.apache.ratis.thirdparty.io.grpc.stub.StreamObserver;
import org.apache.ratis.thirdparty.io.netty.bootstrap.Bootstrap;
import org.apache.ratis.thirdparty.io.netty.channel.ChannelFuture;
import org.apache.ratis.thirdparty.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.ratis.thirdparty.io.netty.channel.ChannelOption;
import org.apache.ratis.thirdparty.io.netty.channel.EventLoopGroup;
import org.apache.ratis.thirdparty.io.netty.channel.nio.NioEventLoopGroup;
import org.apache.ratis.thirdparty.io.netty.channel.socket.nio.NioServerSocketChannel;
import org.apache.ratis.thirdparty.io.netty.channel.socket.nio.NioSocketChannel;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.ClientAuth;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContext;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContextBuilder;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslProvider;
import org.apache.ratis.thirdparty.io.netty.util.concurrent.DefaultThreadFactory;
import org.apache.ratis.util.NetUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that serve the Raft group's socket. gRPC's own are shared and end a second after the last use, when an application that
 * is undeployed has lost its class loader: they would fail and say so. These end when they are told to.
 *
 * <p>Made before the Raft server and closed after it, by the thread that starts and stops {@link RatisMetadataLog}.
 */
final class RaftEventLoops implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RaftEventLoops.class);
    /** The traffic is heartbeats and changes of metadata. */
    private static final int THREADS = 2;

    private static final int END_SECONDS = 5;

    private static final int CONNECT_MS = 500;

    private final EventLoopGroup loops =
            new NioEventLoopGroup(THREADS, new DefaultThreadFactory("barnabas-raft", true));

    private final RatisSettings.@Nullable Keys keys;

    /** @param keys what nodes know each other by; null if they talk in the clear */
    RaftEventLoops(RatisSettings.@Nullable Keys keys) {
        this.keys = keys;
    }

    /**
     * What makes a Raft server use these threads.
     *
     * @param guard sees what comes in first
     * @param watch sees it then
     * @param beside are served on the same port
     */
    Parameters parameters(ServerInterceptor guard, ServerInterceptor watch, List<ServerServiceDefinition> beside) {
        Parameters parameters = new Parameters();
        if (keys != null) {
            GrpcConfigKeys.TLS.setConf(parameters, tls(keys));
        }
        GrpcConfigKeys.Server.setServicesCustomizer(parameters, (builder, services) -> {
            beside.forEach(builder::addService);
            return onLoops(builder).intercept(watch).intercept(guard); // the last is asked first
        });
        return parameters;
    }

    private static GrpcTlsConfig tls(RatisSettings.Keys keys) {
        GrpcTlsConfig.Builder tls = GrpcTlsConfig.newBuilder();
        tls.setKeyManager(keys.own());
        tls.setTrustManager(keys.trusted());
        tls.setMutualTls(true);
        tls.setSslProvider(SslProvider.JDK);
        tls.setProtocols(keys.protocol());
        return tls.build();
    }

    /** A server of one service, for the time before the Raft server is there. */
    Server server(String host, int port, ServerServiceDefinition service) {
        NettyServerBuilder builder = onLoops(NettyServerBuilder.forAddress(new InetSocketAddress(host, port)))
                .directExecutor()
                .addService(service);
        if (keys != null) {
            builder.sslContext(context(
                    SslContextBuilder.forServer(keys.own())
                            .trustManager(keys.trusted())
                            .clientAuth(ClientAuth.REQUIRE),
                    keys.protocol()));
        }
        return builder.build();
    }

    private NettyServerBuilder onLoops(NettyServerBuilder builder) {
        return builder.bossEventLoopGroup(loops).workerEventLoopGroup(loops).channelFactory(() -> {
            NioServerSocketChannel listening = new NioServerSocketChannel();
            listening.pipeline().addLast(new RefusedNodes());
            return listening;
        });
    }

    /** A connection to another's server. */
    ManagedChannel channel(String host, int port) {
        NettyChannelBuilder builder = NettyChannelBuilder.forAddress(host, port)
                .eventLoopGroup(loops)
                .channelType(NioSocketChannel.class)
                .proxyDetector(address -> null)
                .disableRetry()
                .directExecutor();
        if (keys == null) {
            return builder.usePlaintext().build();
        }
        return builder.sslContext(context(
                        SslContextBuilder.forClient().keyManager(keys.own()).trustManager(keys.trusted()),
                        keys.protocol()))
                .build();
    }

    /**
     * Asks another node one thing, on a connection of its own; no thread waits.
     *
     * @param withinMs its time to answer
     * @return the answer; fails with what came instead, also if the node has nothing to say
     */
    CompletableFuture<byte[]> ask(
            RatisSettings.Voter node, MethodDescriptor<byte[], byte[]> question, byte[] request, long withinMs) {
        ManagedChannel channel = channel(node.host(), node.port());
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(withinMs, TimeUnit.MILLISECONDS);
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        ClientCalls.asyncUnaryCall(channel.newCall(question, options), request, new StreamObserver<>() {
            @Override
            public void onNext(byte[] bytes) {
                answer.complete(bytes);
            }

            @Override
            public void onError(Throwable e) {
                answer.completeExceptionally(e);
            }

            @Override
            public void onCompleted() {
                answer.completeExceptionally(new IllegalStateException("Node " + node.nodeId() + " gave no answer"));
            }
        });
        return answer.whenComplete((bytes, e) -> channel.shutdown());
    }

    private static SslContext context(SslContextBuilder builder, String protocol) {
        try {
            return GrpcSslContexts.configure(builder, SslProvider.JDK)
                    .protocols(protocol)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("keys that could be read cannot be used", e);
        }
    }

    /** Does something on one of these threads later; never if they end before. */
    @SuppressWarnings("FutureReturnValueIgnored") // the task tells of its own outcome
    void schedule(Runnable task, long delay, TimeUnit unit) {
        if (!loops.isShuttingDown()) {
            loops.schedule(task, delay, unit);
        }
    }

    /**
     * Tries whether anybody listens at an address.
     *
     * @param address host and port
     * @param outcome is given, on one of these threads, why there is no connection, or null if there was one
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the listener is told
    void connect(String address, Consumer<@Nullable Throwable> outcome) {
        if (loops.isShuttingDown()) {
            return;
        }
        new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .handler(new ChannelInboundHandlerAdapter())
                .connect(NetUtils.createSocketAddr(address))
                .addListener((ChannelFuture connected) -> {
                    connected.channel().close();
                    outcome.accept(connected.cause());
                });
    }

    /** Ends the threads and waits until they have ended. */
    @Override
    public void close() {
        if (!loops.shutdownGracefully(0, END_SECONDS, TimeUnit.SECONDS)
                .awaitUninterruptibly(2 * END_SECONDS, TimeUnit.SECONDS)) {
            LOG.warn("The threads of the metadata log's network did not end; seconds={}", 2 * END_SECONDS);
        }
    }
}
