package io.barnabas.metadata;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.ClientMetricsSettings;
import io.barnabas.config.GroupSettings;
import io.barnabas.config.LiveConfig;
import io.barnabas.config.Setting;
import io.barnabas.config.SettingsTable;
import io.barnabas.config.TopicSettings;
import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.server.policy.AlterConfigPolicy;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules of changing configurations: what is asked for and what is set now become config records, or an error for the resource.
 * What only a broker can judge of its own settings is checked before, by the request's handler. Pure, but for the operator's policy.
 */
public final class ConfigControl {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigControl.class);
    private static final int VALUE_LENGTH_MAX = Short.MAX_VALUE;

    private final LiveConfig config;
    private final Policies policies;

    /** Rules under this broker's configuration. */
    public ConfigControl(LiveConfig config, Policies policies) {
        this.config = config;
        this.policies = policies;
    }

    /**
     * One change of one key.
     *
     * @param value null only to delete
     */
    public record Alteration(OpType operation, @Nullable String value) {}

    /** Changes the named keys of each resource and leaves the others (KIP-339). */
    public Decision<Map<ConfigResource, ApiError>> incremental(
            MetadataImage image, Map<ConfigResource, Map<String, Alteration>> changes, boolean validateOnly) {
        List<ApiMessage> records = new ArrayList<>();
        Map<ConfigResource, ApiError> results = new LinkedHashMap<>();
        changes.forEach((resource, keys) -> results.put(resource, incremental(image, resource, keys, false, records)));
        PartitionRules.onMinInSyncChange(image, records);
        return Decision.of(validateOnly ? List.of() : records, results);
    }

    /** The settings of a topic about to be made; records are added if there is no error. */
    ApiError forNewTopic(MetadataImage image, String topic, Map<String, String> settings, List<ApiMessage> records) {
        Map<String, Alteration> changes = new LinkedHashMap<>();
        settings.forEach((name, value) -> changes.put(name, new Alteration(OpType.SET, value)));
        return incremental(image, new ConfigResource(ConfigResource.Type.TOPIC, topic), changes, true, records);
    }

    private ApiError incremental(
            MetadataImage image,
            ConfigResource resource,
            Map<String, Alteration> changes,
            boolean isNew,
            List<ApiMessage> records) {
        Map<String, String> present = isNew ? Map.of() : image.config(resource);
        Map<String, @Nullable String> altered = new LinkedHashMap<>();
        for (Map.Entry<String, Alteration> change : changes.entrySet()) {
            String key = change.getKey();
            OpType operation = change.getValue().operation();
            boolean onList = operation == OpType.APPEND || operation == OpType.SUBTRACT;
            if (onList && !isList(resource.type(), key)) {
                return new ApiError(
                        Errors.INVALID_CONFIG,
                        "Can't " + operation + " to key " + key + " because its type is not LIST.");
            }
            altered.put(key, newValue(resource.type(), key, present.get(key), change.getValue()));
        }
        return decide(image, resource, new Wanted(present, altered, Map.of(), isNew), records);
    }

    /** Sets the keys of each resource and deletes all it does not name. */
    public Decision<Map<ConfigResource, ApiError>> legacy(
            MetadataImage image, Map<ConfigResource, Map<String, String>> wanted, boolean validateOnly) {
        List<ApiMessage> records = new ArrayList<>();
        Map<ConfigResource, ApiError> results = new LinkedHashMap<>();
        wanted.forEach((resource, settings) -> {
            Map<String, String> present = image.config(resource);
            Map<String, @Nullable String> dropped = new LinkedHashMap<>();
            present.keySet().stream().filter(k -> !settings.containsKey(k)).forEach(k -> dropped.put(k, null));
            results.put(
                    resource,
                    decide(
                            image,
                            resource,
                            new Wanted(present, new LinkedHashMap<>(settings), dropped, false),
                            records));
        });
        PartitionRules.onMinInSyncChange(image, records);
        return Decision.of(validateOnly ? List.of() : records, results);
    }

    /**
     * What a resource shall have.
     *
     * @param altered keys that were named, with their new values
     * @param dropped keys that go because they were not named
     */
    private record Wanted(
            Map<String, String> present,
            Map<String, @Nullable String> altered,
            Map<String, @Nullable String> dropped,
            boolean isNew) {}

    private ApiError decide(MetadataImage image, ConfigResource resource, Wanted wanted, List<ApiMessage> records) {
        Map<String, String> all = new HashMap<>(wanted.present());
        Map<String, @Nullable String> changed = new LinkedHashMap<>();
        for (Map.Entry<String, @Nullable String> e : wanted.altered().entrySet()) {
            @Nullable String value = e.getValue();
            boolean same = Objects.equals(wanted.present().get(e.getKey()), value);
            if (same && resource.type() != ConfigResource.Type.BROKER) {
                continue; // a broker's unchanged key is written again: it makes files be read anew (KAFKA-14136)
            }
            changed.put(e.getKey(), value);
            if (value == null) {
                all.remove(e.getKey());
            } else if (value.length() > VALUE_LENGTH_MAX) {
                return new ApiError(
                        Errors.INVALID_CONFIG,
                        "The configuration value cannot be added because it exceeds the maximum value size of "
                                + VALUE_LENGTH_MAX + " bytes.");
            } else {
                all.put(e.getKey(), value);
            }
        }
        wanted.dropped().keySet().forEach(all::remove);
        ApiError error = judge(image, resource, wanted, all, changed);
        if (error.isSuccess()) {
            changed.forEach((key, value) -> records.add(record(resource, key, value)));
            wanted.dropped().keySet().forEach(key -> records.add(record(resource, key, null)));
        }
        return error;
    }

    private ApiError judge(
            MetadataImage image,
            ConfigResource resource,
            Wanted wanted,
            Map<String, String> all,
            Map<String, @Nullable String> changed) {
        try {
            PartitionRules.checkMinInSync(image, resource, changed);
            PartitionRules.checkMinInSync(image, resource, wanted.dropped());
            validate(resource, all, wanted.present());
            if (!wanted.isNew()) {
                checkExists(image, resource);
            }
            policies.alterConfig().ifPresent(p -> p.validate(new AlterConfigPolicy.RequestMetadata(resource, changed)));
            return ApiError.NONE;
        } catch (ConfigException e) {
            return new ApiError(Errors.INVALID_CONFIG, e.getMessage());
        } catch (RuntimeException e) {
            ApiError error = ApiError.fromThrowable(e);
            if (error.error() == Errors.UNKNOWN_SERVER_ERROR) {
                LOG.error("a change of configuration could not be judged; resource={}", resource, e);
            }
            return error;
        }
    }

    private void validate(ConfigResource resource, Map<String, String> all, Map<String, String> present) {
        BrokerConfig broker = config.current();
        switch (resource.type()) {
            case TOPIC -> {
                if (resource.name().isEmpty()) {
                    throw new InvalidRequestException("Default topic resources are not allowed.");
                }
                Topic.validate(resource.name());
                TopicSettings.validate(present, all, broker);
            }
            case BROKER -> checkBrokerName(resource.name());
            case CLIENT_METRICS -> ClientMetricsSettings.validate(resource.name(), all);
            case GROUP -> {
                if (resource.name().isEmpty()) {
                    throw new InvalidRequestException("Default group resources are not allowed.");
                }
                GroupSettings.validate(all, broker);
            }
            default -> throw new InvalidRequestException("Unknown resource type " + resource.type());
        }
    }

    private static void checkBrokerName(String name) {
        if (name.isEmpty()) {
            return;
        }
        try {
            if (Integer.parseInt(name) < 0) {
                throw new InvalidRequestException("Invalid negative broker ID.");
            }
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("Unable to parse broker name as a base 10 number.");
        }
    }

    private static void checkExists(MetadataImage image, ConfigResource resource) {
        if (resource.type() == ConfigResource.Type.TOPIC && image.topic(resource.name()) == null) {
            throw new UnknownTopicOrPartitionException("The topic '" + resource.name() + "' does not exist.");
        }
        if (resource.type() == ConfigResource.Type.BROKER
                && !resource.name().isEmpty()
                && image.broker(Integer.parseInt(resource.name())).isEmpty()) {
            throw new BrokerIdNotRegisteredException("No broker with id " + resource.name() + " found.");
        }
    }

    private static @Nullable String newValue(
            ConfigResource.Type type, String key, @Nullable String present, Alteration change) {
        String given = Optional.ofNullable(change.value()).orElse("");
        return switch (change.operation()) {
            case SET -> change.value();
            case DELETE -> null;
            case APPEND -> {
                List<String> parts = parts(type, key, present);
                Arrays.stream(given.split(",", -1))
                        .filter(v -> !parts.contains(v))
                        .forEach(parts::add);
                yield String.join(",", parts);
            }
            case SUBTRACT -> {
                List<String> parts = parts(type, key, present);
                Arrays.stream(given.split(",", -1)).forEach(parts::remove);
                yield String.join(",", parts);
            }
        };
    }

    private static List<String> parts(ConfigResource.Type type, String key, @Nullable String present) {
        @Nullable Setting setting = setting(type, key);
        String text = present != null
                ? present
                : setting == null
                        ? ""
                        : Optional.ofNullable(setting.defaultText()).orElse("");
        List<String> parts = new ArrayList<>(Arrays.asList(text.split(",", -1)));
        parts.removeIf(String::isEmpty);
        return parts;
    }

    private static boolean isList(ConfigResource.Type type, String key) {
        @Nullable Setting setting = setting(type, key);
        return setting != null && setting.type() == ConfigDef.Type.LIST;
    }

    private static @Nullable Setting setting(ConfigResource.Type type, String key) {
        return switch (type) {
            case BROKER -> SettingsTable.BROKER.setting(key);
            case TOPIC -> SettingsTable.TOPIC.setting(key);
            case GROUP -> SettingsTable.GROUP.setting(key);
            case CLIENT_METRICS -> SettingsTable.CLIENT_METRICS.setting(key);
            default -> null;
        };
    }

    private static ConfigRecord record(ConfigResource resource, String key, @Nullable String value) {
        return new ConfigRecord()
                .setResourceType(resource.type().id())
                .setResourceName(resource.name())
                .setName(key)
                .setValue(value);
    }
}
