package io.barnabas.request;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.LogLevelConfig;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.jspecify.annotations.Nullable;

/**
 * The levels of the process's loggers under the names Kafka's tools use (KIP-412); they last until the process ends. The loggers are
 * those of java.util.logging, to which the server's slf4j leads. Safe from any thread.
 */
final class BrokerLoggers {
    private static final String ROOT = "root";
    /** Names under which Kafka's runbooks change levels, and the loggers here that do that work. */
    private static final Map<String, String> KAFKAS = Map.ofEntries(
            Map.entry("kafka", "io.barnabas"),
            Map.entry("org.apache.kafka", "org.apache.kafka"),
            Map.entry("kafka.log.LogCleaner", "io.barnabas.log.LogCompactor"),
            Map.entry("kafka.network.RequestChannel", "io.barnabas.net"),
            Map.entry("kafka.request.logger", "io.barnabas.request"),
            Map.entry("kafka.server.KafkaApis", "io.barnabas.request.HandlerDispatcher"),
            Map.entry("kafka.server.ReplicaManager", "io.barnabas.partition"),
            Map.entry("kafka.server.ControllerServer", "io.barnabas.metadata.Controller"),
            Map.entry("kafka.cluster.Replica", "io.barnabas.partition.LocalPartition"),
            Map.entry("state.change.logger", "io.barnabas.metadata"),
            Map.entry("kafka.network.SocketServer", "io.barnabas.net.SocketServer"),
            Map.entry("kafka.network.Processor", "io.barnabas.net.ConnectionHandler"),
            Map.entry("kafka.server.KafkaRequestHandler", "io.barnabas.request.DataPath"),
            Map.entry("kafka.log.LogManager", "io.barnabas.log.LogDirectories"),
            Map.entry("kafka.coordinator.group.GroupCoordinator", "io.barnabas.coordinator.group"),
            Map.entry("kafka.coordinator.transaction.TransactionCoordinator", "io.barnabas.coordinator.transaction"));

    private final List<Logger> kafkas = KAFKAS.entrySet().stream()
            .flatMap(pair -> Stream.of(pair.getKey(), pair.getValue()))
            .map(Logger::getLogger)
            .toList();
    /** Loggers whose level was set, kept from the collector, which would forget the level. */
    private final Map<String, Logger> changed = new ConcurrentHashMap<>();

    /** Effective levels by logger. */
    Map<String, String> levels() {
        Map<String, String> levels = new TreeMap<>();
        for (String name : Collections.list(LogManager.getLogManager().getLoggerNames())) {
            @Nullable Logger logger = LogManager.getLogManager().getLogger(name);
            if (logger != null) {
                levels.put(name.isEmpty() ? ROOT : name, kafkas(effective(logger)));
            }
        }
        return levels;
    }

    /**
     * Changes levels, all of them or none.
     *
     * @throws InvalidRequestException an operation that levels do not have
     * @throws InvalidConfigurationException no such logger or level
     */
    void alter(AlterConfigsResource resource, boolean validateOnly) {
        Collection<AlterableConfig> changes = new ArrayList<>(resource.configs());
        changes.forEach(this::check);
        if (!validateOnly) {
            changes.forEach(this::apply);
        }
    }

    private void check(AlterableConfig change) {
        @Nullable OpType operation = OpType.forId(change.configOperation());
        if (operation == null) {
            throw new InvalidRequestException("Unknown operation type " + change.configOperation()
                    + " is not allowed for the BROKER_LOGGER resource");
        }
        if (operation == OpType.APPEND || operation == OpType.SUBTRACT) {
            throw new InvalidRequestException(operation + " operation is not allowed for the BROKER_LOGGER resource");
        }
        if (logger(change.name()) == null) {
            throw new InvalidConfigurationException("Logger " + change.name() + " does not exist!");
        }
        if (operation == OpType.DELETE && change.name().equals(ROOT)) {
            throw new InvalidRequestException("Removing the log level of the " + ROOT + " logger is not allowed");
        }
        if (operation == OpType.SET && !LogLevelConfig.VALID_LOG_LEVELS.contains(change.value())) {
            throw new InvalidConfigurationException("Cannot set the log level of " + change.name() + " to "
                    + change.value() + " as it is not a supported log level. Valid log levels are "
                    + String.join(
                            ", ",
                            LogLevelConfig.VALID_LOG_LEVELS.stream().sorted().toList()));
        }
    }

    private void apply(AlterableConfig change) {
        @Nullable Logger logger = logger(change.name());
        if (logger == null) {
            return;
        }
        boolean unset = OpType.forId(change.configOperation()) == OpType.DELETE;
        @Nullable Level level = unset ? null : javas(change.value());
        logger.setLevel(level);
        kafkas.stream()
                .filter(other -> other.getName().equals(KAFKAS.get(change.name())))
                .forEach(other -> other.setLevel(level));
        if (unset) {
            changed.remove(change.name());
        } else {
            changed.put(change.name(), logger);
        }
    }

    private static @Nullable Logger logger(String name) {
        return LogManager.getLogManager().getLogger(name.equals(ROOT) ? "" : name);
    }

    private static Level effective(Logger logger) {
        for (@Nullable Logger l = logger; l != null; l = l.getParent()) {
            if (l.getLevel() != null) {
                return l.getLevel();
            }
        }
        return Level.INFO;
    }

    private static String kafkas(Level level) {
        int value = level.intValue();
        if (value >= Level.SEVERE.intValue()) {
            return LogLevelConfig.ERROR_LOG_LEVEL;
        } else if (value >= Level.WARNING.intValue()) {
            return LogLevelConfig.WARN_LOG_LEVEL;
        } else if (value >= Level.INFO.intValue()) {
            return LogLevelConfig.INFO_LOG_LEVEL;
        }
        return value >= Level.FINE.intValue() ? LogLevelConfig.DEBUG_LOG_LEVEL : LogLevelConfig.TRACE_LOG_LEVEL;
    }

    private static Level javas(String level) {
        return switch (level) {
            case LogLevelConfig.FATAL_LOG_LEVEL, LogLevelConfig.ERROR_LOG_LEVEL -> Level.SEVERE;
            case LogLevelConfig.WARN_LOG_LEVEL -> Level.WARNING;
            case LogLevelConfig.DEBUG_LOG_LEVEL -> Level.FINE;
            case LogLevelConfig.TRACE_LOG_LEVEL -> Level.FINEST;
            default -> Level.INFO;
        };
    }
}
