package io.barnabas.peer;

import io.barnabas.metadata.ControllerChannel;
import io.barnabas.metadata.ControllerRequests;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.message.AllocateProducerIdsResponseData;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.message.BrokerRegistrationResponseData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to the controller that the image names: a call while it is this node, else a request over the inter-broker listener. When the
 * controller changes, connections to the former one are given up, so that what waits there is asked of the new one. Before it: the
 * broker's registration, partitions that change their ISR, forwarded requests. Safe from any thread.
 */
public final class PeerControllerChannel implements ControllerChannel, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerControllerChannel.class);
    /** Requests that may wait for an answer. */
    private static final int WAITING_MAX = 10_000;

    private static final long REST_MS = 20;
    private static final long REST_MAX_MS = 200;
    private static final Map<Short, ToIntFunction<ApiMessage>> ERRORS = Map.of(
            ApiKeys.BROKER_REGISTRATION.id, answer -> ((BrokerRegistrationResponseData) answer).errorCode(),
            ApiKeys.BROKER_HEARTBEAT.id, answer -> ((BrokerHeartbeatResponseData) answer).errorCode(),
            ApiKeys.ALTER_PARTITION.id, answer -> ((AlterPartitionResponseData) answer).errorCode(),
            ApiKeys.ALLOCATE_PRODUCER_IDS.id, answer -> ((AllocateProducerIdsResponseData) answer).errorCode(),
            ApiKeys.ASSIGN_REPLICAS_TO_DIRS.id, answer -> ((AssignReplicasToDirsResponseData) answer).errorCode(),
            ApiKeys.ENVELOPE.id, answer -> ((EnvelopeResponseData) answer).errorCode());

    private final Metadata metadata;
    private final ControllerRequests local;
    private final BrokerLinks links;
    private final Clock clock;
    private final Ticker ticker;
    private final Set<Attempts> waiting = ConcurrentHashMap.newKeySet();
    private volatile int controller = -1; // as the image said last; written by its listener
    private volatile boolean closed;

    /** @param local answers while this node is the controller; envelopes, too, if any are sent */
    public PeerControllerChannel(
            Metadata metadata, ControllerRequests local, BrokerLinks links, Clock clock, Ticker ticker) {
        this.metadata = metadata;
        this.local = local;
        this.links = links;
        this.clock = clock;
        this.ticker = ticker;
        metadata.onChange((change, image) -> onImage(image));
    }

    private void onImage(MetadataImage image) {
        int former = controller;
        if (image.controllerId() == former) {
            return;
        }
        controller = image.controllerId();
        if (former >= 0 && former != links.nodeId()) {
            links.drop(former, Lane.LIVENESS);
            links.drop(former, Lane.CHANGES);
            links.drop(former, Lane.FORWARDED);
        }
    }

    @Override
    public CompletableFuture<ApiMessage> send(ApiMessage request, int timeoutMs) {
        Attempts attempts = new Attempts(request, clock.monotonicMillis() + Math.max(0, timeoutMs));
        if (closed || waiting.size() >= WAITING_MAX) {
            attempts.answer.completeExceptionally(
                    new TimeoutException(closed ? "the broker stops" : "too many requests wait for the controller"));
            return attempts.answer;
        }
        waiting.add(attempts);
        attempts.timer = ticker.after(timeoutMs, attempts::onTimeout);
        attempts.next();
        if (closed) {
            attempts.onTimeout();
        }
        return attempts.answer;
    }

    /** One request, until it is answered or its time is over. */
    private final class Attempts {
        private final ApiMessage request;
        private final long deadlineMs;
        private final CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
        private volatile Ticker.@Nullable Timeout timer;
        private volatile String why = "no controller is known";
        private long restMs = REST_MS; // of one attempt after the other

        private Attempts(ApiMessage request, long deadlineMs) {
            this.request = request;
            this.deadlineMs = deadlineMs;
        }

        private void next() {
            if (answer.isDone()) {
                return;
            }
            int to = metadata.image().controllerId();
            if (to < 0) {
                again("no controller is known");
                return;
            }
            int leftMs = (int) Math.max(1, deadlineMs - clock.monotonicMillis());
            CompletableFuture<ApiMessage> attempt = to == links.nodeId()
                    ? local.handle(request)
                    : links.send(to, Lane.toController(ApiKeys.forId(request.apiKey())), request, leftMs);
            CompletableFuture<ApiMessage> unused =
                    attempt.whenComplete((body, failure) -> onOutcome(to, body, failure));
        }

        private void onOutcome(int from, @Nullable ApiMessage body, @Nullable Throwable failure) {
            if (body == null) {
                Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
                again("controller " + from + ": " + cause);
            } else if (error(body) == Errors.NOT_CONTROLLER.code()) {
                again("node " + from + " is not the controller");
            } else {
                end();
                answer.complete(body);
            }
        }

        private void again(String reason) {
            why = reason;
            LOG.debug("asked again; api={} why={}", request.apiKey(), reason);
            long rest = restMs;
            restMs = Math.min(REST_MAX_MS, rest * 2);
            ticker.after(rest, this::next);
        }

        private void onTimeout() {
            end();
            answer.completeExceptionally(new TimeoutException("The controller has not answered in time: " + why));
        }

        private void end() {
            waiting.remove(this);
            Ticker.Timeout set = timer;
            if (set != null) {
                set.cancel();
            }
        }
    }

    private static int error(ApiMessage answer) {
        @Nullable ToIntFunction<ApiMessage> of = ERRORS.get(answer.apiKey());
        return of == null ? Errors.NONE.code() : of.applyAsInt(answer);
    }

    /** What waits, and what comes later, fails. Idempotent. */
    @Override
    public void close() {
        closed = true;
        waiting.forEach(Attempts::onTimeout);
    }
}
