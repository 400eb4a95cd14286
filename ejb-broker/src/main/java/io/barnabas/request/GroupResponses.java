package io.barnabas.request;

import io.barnabas.coordinator.group.ClientInfo;
import io.barnabas.port.Responder;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.ApiMessage;

/** What the handlers of the group APIs share: who asks, and how an answer that comes later is given. */
final class GroupResponses {
    private GroupResponses() {}

    static ClientInfo client(RequestContext context) {
        return new ClientInfo(context.version(), context.clientId(), context.clientHost());
    }

    /** Gives the answer when it is there, on the thread that makes it; a failure becomes the API's error response. */
    static void respond(CompletableFuture<? extends ApiMessage> answer, RequestContext context, Responder responder) {
        var unused = answer.whenComplete((body, failure) -> {
            if (failure == null) {
                responder.respond(body);
            } else {
                ErrorResponses.answer(context, failure, responder);
            }
        });
    }
}
