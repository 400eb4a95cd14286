package io.barnabas.metadata;

import io.barnabas.config.BrokerConfig;
import java.util.Optional;
import org.apache.kafka.common.Configurable;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.server.policy.AlterConfigPolicy;
import org.apache.kafka.server.policy.CreateTopicPolicy;
import org.jspecify.annotations.Nullable;

/**
 * The operator's own classes that may refuse what the controller is asked for (KIP-108, KIP-133). They run on the controller's thread.
 */
public record Policies(Optional<CreateTopicPolicy> createTopic, Optional<AlterConfigPolicy> alterConfig)
        implements AutoCloseable {
    /** No policy. */
    public static final Policies NONE = new Policies(Optional.empty(), Optional.empty());

    /**
     * Makes and configures the classes that the configuration names.
     *
     * @throws ConfigException if one cannot be made or is no policy
     */
    public static Policies load(BrokerConfig config) {
        return new Policies(
                load(config, "create.topic.policy.class.name", CreateTopicPolicy.class),
                load(config, "alter.config.policy.class.name", AlterConfigPolicy.class));
    }

    private static <T extends Configurable> Optional<T> load(BrokerConfig config, String key, Class<T> kind) {
        @Nullable Class<?> type = config.getClassOrNull(key);
        if (type == null) {
            return Optional.empty();
        }
        if (!kind.isAssignableFrom(type)) {
            throw new ConfigException(key, type.getName(), "Must be a " + kind.getName());
        }
        T policy = kind.cast(Utils.newInstance(type));
        policy.configure(config.given());
        return Optional.of(policy);
    }

    @Override
    public void close() {
        createTopic.ifPresent(p -> Utils.closeQuietly(p, "create topic policy"));
        alterConfig.ifPresent(p -> Utils.closeQuietly(p, "alter config policy"));
    }
}
