package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/**
 * The rule of deleting topics, by name or by id (KIP-516): each is answered for, and one that is named twice is left alone. Made for
 * one request; pure.
 */
public final class TopicRemoval {
    private final MetadataImage image;
    private final List<DeletableTopicResult> results = new ArrayList<>();
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<Uuid> topicIds = new LinkedHashSet<>();
    private final Set<String> duplicateNames = new LinkedHashSet<>();
    private final Set<Uuid> duplicateIds = new LinkedHashSet<>();

    private TopicRemoval(MetadataImage image) {
        this.image = image;
    }

    /** Deletes the topics that can be deleted. */
    public static Decision<DeleteTopicsResponseData> decide(MetadataImage image, DeleteTopicsRequestData request) {
        return new TopicRemoval(image).decide(request);
    }

    private Decision<DeleteTopicsResponseData> decide(DeleteTopicsRequestData request) {
        request.topicNames().forEach(name -> (names.add(name) ? names : duplicateNames).add(name));
        request.topics().forEach(this::take);
        duplicateNames.forEach(
                n -> answer(n, Uuid.ZERO_UUID, new ApiError(Errors.INVALID_REQUEST, "Duplicate topic name.")));
        duplicateIds.forEach(id -> answer(null, id, new ApiError(Errors.INVALID_REQUEST, "Duplicate topic id.")));
        names.removeAll(duplicateNames);
        topicIds.removeAll(duplicateIds);
        Map<Uuid, String> found = found();
        List<ApiMessage> records = new ArrayList<>();
        found.forEach((id, name) -> {
            records.add(new RemoveTopicRecord().setTopicId(id));
            answer(name, id, ApiError.NONE);
        });
        DeleteTopicsResponseData response = new DeleteTopicsResponseData();
        response.responses().addAll(results);
        return Decision.of(records, response);
    }

    private void take(DeleteTopicState topic) {
        boolean hasId = !topic.topicId().equals(Uuid.ZERO_UUID);
        if (topic.name() == null && !hasId) {
            answer(
                    null,
                    Uuid.ZERO_UUID,
                    new ApiError(Errors.INVALID_REQUEST, "Neither topic name nor id were specified."));
        } else if (topic.name() != null && hasId) {
            answer(
                    topic.name(),
                    topic.topicId(),
                    new ApiError(Errors.INVALID_REQUEST, "You may not specify both topic name and topic id."));
        } else if (hasId) {
            (topicIds.add(topic.topicId()) ? topicIds : duplicateIds).add(topic.topicId());
        } else {
            (names.add(topic.name()) ? names : duplicateNames).add(topic.name());
        }
    }

    /** Names by id of what is to go; what cannot go is answered. */
    private Map<Uuid, String> found() {
        Map<Uuid, String> found = new LinkedHashMap<>();
        for (Uuid id : topicIds) {
            @Nullable TopicImage topic = image.topic(id);
            if (topic == null) {
                answer(null, id, new ApiError(Errors.UNKNOWN_TOPIC_ID));
            } else {
                found.put(id, topic.name());
            }
        }
        for (String name : names) {
            @Nullable TopicImage topic = image.topic(name);
            if (topic == null) {
                answer(name, Uuid.ZERO_UUID, new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION));
            } else if (duplicateIds.contains(topic.id()) || found.containsKey(topic.id())) {
                found.remove(topic.id());
                answer(
                        name,
                        topic.id(),
                        new ApiError(
                                Errors.INVALID_REQUEST,
                                "The provided topic name maps to an ID that was already supplied."));
            } else {
                found.put(topic.id(), name);
            }
        }
        return found;
    }

    private void answer(@Nullable String name, Uuid id, ApiError error) {
        results.add(new DeletableTopicResult()
                .setName(name)
                .setTopicId(id)
                .setErrorCode(error.error().code())
                .setErrorMessage(error.message()));
    }
}
