package io.barnabas.coordinator.group;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.GroupSettings;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.group.consumer.Assignor;
import io.barnabas.metadata.MetadataImage;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;

/**
 * What is set for consumer groups, named by the broker keys after {@code group.consumer.}.
 *
 * @param maxSize max.size: members of one group
 * @param assignors assignors, the default one first
 * @param migration migration.policy
 * @param regexRefreshIntervalMs regex.refresh.interval.ms
 * @param times what may be set for each group
 */
public record ConsumerGroupSettings(
        int maxSize, List<Assignor> assignors, MigrationPolicy migration, long regexRefreshIntervalMs, Times times) {

    /** What may be set for a group of its own, at any time. Safe from any thread. */
    public interface Times {
        /** consumer.session.timeout.ms of a group. */
        int sessionTimeoutMs(String group);

        /** consumer.heartbeat.interval.ms of a group. */
        int heartbeatIntervalMs(String group);

        /** consumer.assignment.interval.ms of a group: least time between two target assignments. */
        int assignmentIntervalMs(String group);
    }

    /**
     * As the broker is configured now, and each group in the metadata.
     *
     * @throws ConfigException an assignor that is not there
     */
    public static ConsumerGroupSettings of(LiveConfig config, Supplier<MetadataImage> image) {
        BrokerConfig now = config.current();
        return new ConsumerGroupSettings(
                now.getInt("group.consumer.max.size"),
                now.getList("group.consumer.assignors").stream()
                        .map(ConsumerGroupSettings::assignor)
                        .toList(),
                MigrationPolicy.valueOf(
                        now.getString("group.consumer.migration.policy").toUpperCase(Locale.ROOT)),
                now.getInt("group.consumer.regex.refresh.interval.ms"),
                new LiveTimes(config, image));
    }

    private static Assignor assignor(String name) {
        return Assignor.of(name)
                .orElseThrow(() -> new ConfigException("group.consumer.assignors", name, "There is no such assignor"));
    }

    private record LiveTimes(LiveConfig config, Supplier<MetadataImage> image) implements Times {
        @Override
        public int sessionTimeoutMs(String group) {
            return value(group, "consumer.session.timeout.ms");
        }

        @Override
        public int heartbeatIntervalMs(String group) {
            return value(group, "consumer.heartbeat.interval.ms");
        }

        @Override
        public int assignmentIntervalMs(String group) {
            return value(group, "consumer.assignment.interval.ms");
        }

        private int value(String group, String key) {
            return GroupSettings.effectiveInt(
                    image.get().config(new ConfigResource(ConfigResource.Type.GROUP, group)), key, config.current());
        }
    }

    /** Whether an assignor may be asked for. */
    boolean has(String assignorName) {
        return assignors.stream().anyMatch(assignor -> assignor.name().equals(assignorName));
    }
}
