package io.barnabas.config;

import java.util.List;
import java.util.Set;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/** What must hold between the keys of a broker, as Kafka has it; a key by itself is checked by its line in the table. */
final class BrokerConfigChecks {
    private static final long BYTES_PER_CLEANER_MIN = 1024 * 1024;

    private BrokerConfigChecks() {}

    static void check(BrokerConfig c) {
        if (!c.given().getOrDefault("broker.id", "").equals(c.given().getOrDefault("node.id", ""))) {
            throw new ConfigException(
                    "broker.id",
                    c.given().get("broker.id"),
                    "Must be the same as node.id (" + c.nodeId() + ") if both are set");
        }
        checkTimes(c);
        checkCleaner(c);
        long queued = c.getLong("queued.max.request.bytes");
        if (queued > 0 && queued < c.getInt("socket.request.max.bytes")) {
            throw new ConfigException(
                    "queued.max.request.bytes",
                    queued,
                    "Must be at least socket.request.max.bytes (" + c.getInt("socket.request.max.bytes") + ")");
        }
        if (c.getInt("max.connections.per.ip") == 0
                && c.getString("max.connections.per.ip.overrides").isEmpty()) {
            throw new ConfigException(
                    "max.connections.per.ip", 0, "May be zero only if max.connections.per.ip.overrides is set");
        }
        if (!c.getList("group.coordinator.rebalance.protocols").contains("classic")) {
            throw new ConfigException(
                    "group.coordinator.rebalance.protocols",
                    c.getList("group.coordinator.rebalance.protocols"),
                    "classic must be among them");
        }
        checkConsumerGroups(c);
        checkCordonedDirectories(c);
        TopicSettings.checkBrokerDefaults(c);
    }

    private static void checkTimes(BrokerConfig c) {
        atLeast(c, "log.roll.ms", 1, false);
        atLeast(c, "log.roll.jitter.ms", 0, false);
        atLeast(c, "log.retention.ms", 1, true);
        atLeast(c, "log.retention.minutes", 1, true);
        atLeast(c, "log.retention.hours", 1, true);
        if (c.getInt("replica.fetch.wait.max.ms") > c.getInt("replica.socket.timeout.ms")) {
            throw new ConfigException(
                    "replica.fetch.wait.max.ms",
                    c.getInt("replica.fetch.wait.max.ms"),
                    "Must not exceed replica.socket.timeout.ms");
        }
        if (c.getInt("replica.fetch.wait.max.ms") > c.getLong("replica.lag.time.max.ms")) {
            throw new ConfigException(
                    "replica.fetch.wait.max.ms",
                    c.getInt("replica.fetch.wait.max.ms"),
                    "Must not exceed replica.lag.time.max.ms");
        }
    }

    private static void checkConsumerGroups(BrokerConfig c) {
        for (String time : List.of("session.timeout.ms", "heartbeat.interval.ms", "assignment.interval.ms")) {
            String key = "group.consumer." + time;
            int min = c.getInt("group.consumer.min." + time);
            int max = c.getInt("group.consumer.max." + time);
            int value = c.getInt(key);
            if (value < min || value > max) {
                throw new ConfigException(
                        key,
                        value,
                        "Must be between group.consumer.min." + time + " (" + min + ") and max (" + max + ")");
            }
        }
        int heartbeatMs = c.getInt("group.consumer.heartbeat.interval.ms");
        if (heartbeatMs >= c.getInt("group.consumer.session.timeout.ms")) {
            throw new ConfigException(
                    "group.consumer.heartbeat.interval.ms",
                    heartbeatMs,
                    "Must be less than group.consumer.session.timeout.ms");
        }
        List<String> assignors = c.getList("group.consumer.assignors");
        if (!Set.of("uniform", "range").containsAll(assignors)) {
            throw new ConfigException(
                    "group.consumer.assignors", assignors, "Only uniform and range are there; classes are not loaded");
        }
    }

    private static void checkCleaner(BrokerConfig c) {
        int threads = c.getInt("log.cleaner.threads");
        long buffer = c.getLong("log.cleaner.dedupe.buffer.size");
        if (threads > 0 && buffer / threads <= BYTES_PER_CLEANER_MIN) {
            throw new ConfigException(
                    "log.cleaner.dedupe.buffer.size",
                    buffer,
                    "Must be more than 1 MB for each of log.cleaner.threads (" + threads + ")");
        }
    }

    private static void checkCordonedDirectories(BrokerConfig c) {
        List<String> cordoned = c.getList("cordoned.log.dirs");
        if (cordoned.contains("*")) {
            if (cordoned.size() > 1) {
                throw new ConfigException("cordoned.log.dirs", cordoned, "* must stand alone");
            }
            return;
        }
        @Nullable List<String> dirs = c.getListOrNull("log.dirs");
        List<String> known = dirs == null ? c.getList("log.dir") : dirs;
        if (!known.containsAll(cordoned)) {
            throw new ConfigException(
                    "cordoned.log.dirs", cordoned, "Each must be one of the data directories " + known);
        }
    }

    private static void atLeast(BrokerConfig c, String name, long min, boolean orMinusOne) {
        if (!(c.valueOrNull(name) instanceof Number n)) {
            return;
        }
        long value = n.longValue();
        if (value < min && !(orMinusOne && value == -1)) {
            throw new ConfigException(
                    name, value, "Must be at least " + min + (orMinusOne ? ", or -1 for no limit" : ""));
        }
    }
}
