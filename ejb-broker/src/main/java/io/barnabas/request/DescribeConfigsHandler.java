package io.barnabas.request;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.port.Responder;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;

/** Tells of the configurations of brokers, topics, groups, client metrics subscriptions and loggers. Answered from memory. */
public final class DescribeConfigsHandler implements ApiHandler<DescribeConfigsRequestData> {
    /** Settings in one answer, about 100 MB of heap; any name of a group or subscription has some, so resources do not bound them. */
    static final int ENTRIES_MAX = 250_000;

    private final ControlPlane plane;
    private final BrokerLoggers loggers;

    DescribeConfigsHandler(ControlPlane plane, BrokerLoggers loggers) {
        this.plane = plane;
        this.loggers = loggers;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_CONFIGS;
    }

    @Override
    public void handle(DescribeConfigsRequestData request, RequestContext context, Responder responder) {
        for (DescribeConfigsResource resource : request.resources()) {
            if (ConfigResource.Type.forId(resource.resourceType()) == ConfigResource.Type.UNKNOWN) {
                throw new InvalidRequestException(
                        "Unexpected resource type UNKNOWN for resource " + resource.resourceName());
            }
        }
        ConfigDescriptions descriptions =
                new ConfigDescriptions(plane.config(), request.includeSynonyms(), request.includeDocumentation());
        DescribeConfigsResponseData response = new DescribeConfigsResponseData();
        int entries = 0;
        for (DescribeConfigsResource resource : distinct(request.resources())) {
            DescribeConfigsResult result = result(resource, descriptions, context);
            entries += result.configs().size();
            if (entries > ENTRIES_MAX) {
                throw new InvalidRequestException("More than " + ENTRIES_MAX + " settings are asked for at once");
            }
            response.results().add(result);
        }
        responder.respond(response);
    }

    /** What is named again and again is told once: a small request makes no large answer. */
    private static Collection<DescribeConfigsResource> distinct(List<DescribeConfigsResource> resources) {
        Map<ConfigResource, DescribeConfigsResource> distinct = new LinkedHashMap<>();
        for (DescribeConfigsResource resource : resources) {
            distinct.putIfAbsent(keyOf(resource), resource);
        }
        return distinct.values();
    }

    /** Brokers by the number, whichever way it is written. */
    private static ConfigResource keyOf(DescribeConfigsResource resource) {
        ConfigResource.Type type = ConfigResource.Type.forId(resource.resourceType());
        String name = resource.resourceName();
        if (type == ConfigResource.Type.BROKER || type == ConfigResource.Type.BROKER_LOGGER) {
            try {
                return new ConfigResource(type, name.isEmpty() ? name : Integer.toString(Integer.parseInt(name)));
            } catch (NumberFormatException e) {
                return new ConfigResource(type, name); // to be answered with an error, by this name
            }
        }
        return new ConfigResource(type, name);
    }

    private DescribeConfigsResult result(
            DescribeConfigsResource resource, ConfigDescriptions descriptions, RequestContext context) {
        DescribeConfigsResult result = new DescribeConfigsResult()
                .setResourceName(resource.resourceName())
                .setResourceType(resource.resourceType());
        try {
            List<DescribeConfigsResourceResult> configs = describe(resource, descriptions);
            List<String> keys = resource.configurationKeys();
            Set<String> wanted = keys == null ? Set.of() : new HashSet<>(keys);
            return result.setErrorMessage(null)
                    .setConfigs(configs.stream()
                            .filter(c -> wanted.isEmpty() || wanted.contains(c.name()))
                            .toList());
        } catch (UnknownTopicOrPartitionException e) {
            return result.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        } catch (RuntimeException e) {
            Errors error = ErrorResponses.partError(context, e);
            String message = error == Errors.UNKNOWN_SERVER_ERROR
                    ? error.message()
                    : ApiError.fromThrowable(e).message();
            return result.setErrorCode(error.code()).setErrorMessage(message);
        }
    }

    private List<DescribeConfigsResourceResult> describe(
            DescribeConfigsResource resource, ConfigDescriptions descriptions) {
        MetadataImage image = plane.metadata().image();
        ConfigResource.Type type = ConfigResource.Type.forId(resource.resourceType());
        String name = resource.resourceName();
        ConfigResource key = new ConfigResource(type, name);
        return switch (type) {
            case TOPIC -> {
                Topic.validate(name);
                if (image.topic(name) == null) {
                    throw new UnknownTopicOrPartitionException();
                }
                yield descriptions.topic(image.config(key));
            }
            case BROKER -> {
                if (name.isEmpty()) {
                    yield descriptions.allBrokers();
                }
                if (brokerId(name) != plane.brokerId()) {
                    throw new InvalidRequestException("Unexpected broker id, expected " + plane.brokerId()
                            + " or empty string, but received " + name);
                }
                yield descriptions.broker();
            }
            case BROKER_LOGGER -> {
                checkNotEmpty(name, "Broker id must not be empty");
                if (brokerId(name) != plane.brokerId()) {
                    throw new InvalidRequestException(
                            "Unexpected broker id, expected " + plane.brokerId() + " but received " + name);
                }
                yield ConfigDescriptions.loggers(loggers.levels());
            }
            case CLIENT_METRICS -> {
                checkNotEmpty(name, "Client metrics subscription name must not be empty");
                yield descriptions.clientMetrics(image.config(key));
            }
            case GROUP -> {
                checkNotEmpty(name, "Group name must not be empty");
                yield descriptions.group(image.config(key));
            }
            case UNKNOWN -> throw new InvalidRequestException("Unsupported resource type: " + type);
        };
    }

    private static void checkNotEmpty(String name, String message) {
        if (name.isEmpty()) {
            throw new InvalidRequestException(message);
        }
    }

    private static int brokerId(String name) {
        try {
            return Integer.parseInt(name);
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("Broker id must be an integer, but it is: " + name);
        }
    }
}
