package io.barnabas.request;

import io.barnabas.metadata.TopicRemoval;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.TopicDeletionDisabledException;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;

/** The handlers that make, widen and delete topics: each is one command to the controller, answered when it is committed. */
final class TopicHandlers {
    private TopicHandlers() {}

    static List<ApiHandler<?>> of(ControlPlane plane) {
        return List.of(new CreateTopics(plane), new CreatePartitions(plane), new DeleteTopics(plane));
    }

    private record CreateTopics(ControlPlane plane) implements ApiHandler<CreateTopicsRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.CREATE_TOPICS;
        }

        @Override
        public void handle(CreateTopicsRequestData request, RequestContext context, Responder responder) {
            plane.submit(
                    image -> plane.rules().topics().create(image, request),
                    context,
                    responder,
                    answer -> answer,
                    request.timeoutMs());
        }
    }

    private record CreatePartitions(ControlPlane plane) implements ApiHandler<CreatePartitionsRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.CREATE_PARTITIONS;
        }

        @Override
        public void handle(CreatePartitionsRequestData request, RequestContext context, Responder responder) {
            plane.submit(
                    image -> plane.rules().topics().createPartitions(image, request),
                    context,
                    responder,
                    results -> new CreatePartitionsResponseData().setResults(results),
                    request.timeoutMs());
        }
    }

    private record DeleteTopics(ControlPlane plane) implements ApiHandler<DeleteTopicsRequestData> {
        /** Up to here clients do not know the error for deletion being disabled. */
        private static final short LAST_VERSION_WITHOUT_DISABLED = 2;

        @Override
        public ApiKeys api() {
            return ApiKeys.DELETE_TOPICS;
        }

        @Override
        public void handle(DeleteTopicsRequestData request, RequestContext context, Responder responder) {
            if (!plane.config().current().getBoolean("delete.topic.enable")) {
                throw context.version() <= LAST_VERSION_WITHOUT_DISABLED
                        ? new InvalidRequestException("This version does not support topic deletion.")
                        : new TopicDeletionDisabledException();
            }
            plane.submit(
                    image -> TopicRemoval.decide(image, request),
                    context,
                    responder,
                    answer -> answer,
                    request.timeoutMs());
        }
    }
}
