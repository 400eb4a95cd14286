package com.hazelcast.instance.impl;

import com.hazelcast.cluster.Address;
import com.hazelcast.instance.EndpointQualifier;
import com.hazelcast.internal.networking.ChannelInitializer;
import com.hazelcast.internal.server.ServerContext;
import io.barnabas.server.GridTls;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * The community edition as it is, with the cluster's key under its connections if there is one (docs/decisions/017-the-data-grid.md). Hazelcast
 * makes a member's extension of the first class that is there of two names: this one, and that of its own. The name is all that is taken: the
 * member says of itself that it is the community edition, and refuses what that refuses.
 */
@NullMarked
public final class EnterpriseNodeExtension extends DefaultNodeExtension {
    private final @Nullable GridTls tls = GridTls.inUse();

    /** Called by Hazelcast. */
    public EnterpriseNodeExtension(Node node) {
        super(node);
    }

    @Override
    public Function<EndpointQualifier, ChannelInitializer> createChannelInitializerFn(ServerContext context) {
        Function<EndpointQualifier, ChannelInitializer> plain = super.createChannelInitializerFn(context);
        return tls == null ? plain : endpoint -> tls.under(plain.apply(endpoint), new Member(context));
    }

    private final class Member implements GridTls.Member {
        private final ServerContext context;

        Member(ServerContext context) {
            this.context = context;
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // a member that stops drops it
        public void later(Runnable task, int seconds) {
            node.nodeEngine.getExecutionService().schedule(task, seconds, TimeUnit.SECONDS);
        }

        @Override
        public void onRefused(Address address) {
            context.onFailedConnection(address);
        }
    }
}
