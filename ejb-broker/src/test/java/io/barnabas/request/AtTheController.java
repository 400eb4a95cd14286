package io.barnabas.request;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.NotControllerException;

/** For tests in which this node is the controller: nothing is forwarded. */
public final class AtTheController {
    private AtTheController() {}

    public static Forwarder nothingIsForwarded() {
        return new Forwarder(
                (request, timeoutMs) -> CompletableFuture.failedFuture(new NotControllerException("nobody else")),
                () -> true,
                1_000);
    }
}
