package io.barnabas.request;

import io.barnabas.config.LiveConfig;
import io.barnabas.config.Setting;
import io.barnabas.config.SettingsTable;
import io.barnabas.metadata.ConfigControl.Alteration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/**
 * What a broker checks of a change of configuration before the controller decides it: the form of the request, and whether its own
 * settings would still go together. Stateless.
 */
final class ConfigChanges {
    private ConfigChanges() {}

    static void checkForm(Collection<String> names, Collection<String> withoutValue) {
        Set<String> seen = new HashSet<>();
        if (!names.stream().allMatch(seen::add)) {
            throw new InvalidRequestException("Error due to duplicate config keys");
        }
        if (!withoutValue.isEmpty()) {
            throw new InvalidRequestException("Null value not supported for : " + String.join(", ", withoutValue));
        }
    }

    static void checkType(ConfigResource.Type type, byte id) {
        switch (type) {
            case BROKER, TOPIC, CLIENT_METRICS, GROUP -> {}
            default -> throw new InvalidRequestException("Unknown resource type " + id);
        }
    }

    /**
     * Checks settings of the broker resource with this name.
     *
     * @param proposed all that it would have
     */
    static void checkBroker(ControlPlane plane, String name, Map<String, String> proposed) {
        if (!name.isEmpty()) {
            checkNodeId(plane.brokerId(), name);
        }
        try {
            plane.config().validate(proposed, !name.isEmpty());
        } catch (ConfigException e) { // an invalid request, not configuration, as Kafka has it (KAFKA-13609)
            throw new InvalidRequestException(e.getMessage());
        }
    }

    static void checkNodeId(int nodeId, String name) {
        try {
            if (Integer.parseInt(name) != nodeId) {
                throw new InvalidRequestException(
                        "Unexpected broker id, expected " + nodeId + ", but received " + name);
            }
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("Node id must be an integer, but it is: " + name);
        }
    }

    /** The settings of a broker resource after {@code changes}; what is set and cannot take effect is left out. */
    static Map<String, String> applied(
            Map<String, String> present, Map<String, Alteration> changes, boolean perBroker) {
        Map<String, String> all = new HashMap<>(present);
        all.entrySet().removeIf(e -> !LiveConfig.isEffective(e.getKey(), e.getValue(), perBroker));
        changes.forEach((key, change) -> {
            String given = Optional.ofNullable(change.value()).orElse("");
            switch (change.operation()) {
                case SET -> all.put(key, given);
                case DELETE -> all.remove(key);
                case APPEND -> {
                    List<String> parts = parts(key, all.get(key), OpType.APPEND);
                    Arrays.stream(given.split(",", -1))
                            .filter(v -> !parts.contains(v))
                            .forEach(parts::add);
                    all.put(key, String.join(",", parts));
                }
                case SUBTRACT -> {
                    List<String> parts = parts(key, all.get(key), OpType.SUBTRACT);
                    parts.removeAll(Arrays.asList(given.split(",", -1)));
                    all.put(key, String.join(",", parts));
                }
            }
        });
        return all;
    }

    private static List<String> parts(String key, @Nullable String present, OpType operation) {
        @Nullable Setting setting = SettingsTable.BROKER.setting(key);
        if (setting == null) {
            throw new InvalidConfigurationException("Unknown config name: " + key);
        }
        if (setting.type() != ConfigDef.Type.LIST) {
            throw new InvalidConfigurationException("Config value "
                    + (operation == OpType.APPEND ? "append" : "subtract") + " is not allowed for config key: " + key);
        }
        String text = present != null
                ? present
                : Optional.ofNullable(setting.defaultText()).orElse("");
        List<String> parts = new ArrayList<>(Arrays.asList(text.split(",", -1)));
        parts.removeIf(String::isEmpty);
        return parts;
    }
}
