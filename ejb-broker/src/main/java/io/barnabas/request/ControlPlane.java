package io.barnabas.request;

import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.ConfigControl;
import io.barnabas.metadata.Controller;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.PartitionRules;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.ReassignmentControl;
import io.barnabas.metadata.TopicControl;
import io.barnabas.port.Responder;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * What the handlers of metadata and administration work with: the image to read, the controller to change it, and the rules of the
 * changes. Safe from any thread.
 *
 * @param forwarder to the controller, while it is another node
 * @param producerIds gives an id that no producer had before
 * @param boundPort the port that a listener of this broker is bound to, for one whose port the system chose
 */
public record ControlPlane(
        int brokerId,
        Metadata metadata,
        Controller controller,
        Forwarder forwarder,
        LiveConfig config,
        Rules rules,
        Supplier<CompletableFuture<Long>> producerIds,
        ToIntFunction<String> boundPort,
        Time time) {
    /** How long a change that is made waits, at most, for what it means to this broker. */
    private static final int SETTLE_MS = 5_000;

    /** The same, while more than so many partitions have something to do. */
    private static final int SETTLE_MANY_MS = 250;

    private static final int MANY = 200;

    /** What bounds of time are kept with. */
    public record Time(Clock clock, Ticker ticker) {}

    /** The rules of changes. */
    public record Rules(
            TopicControl topics,
            PartitionRules partitions,
            ConfigControl configs,
            ReassignmentControl reassignments,
            FeatureControl features) {
        /** The rules under a broker's configuration. */
        public static Rules of(LiveConfig config, Policies policies, RandomGenerator random) {
            ConfigControl configs = new ConfigControl(config, policies);
            PartitionRules partitions = new PartitionRules(config);
            return new Rules(
                    new TopicControl(config, configs, policies, Uuid::randomUuid, random),
                    partitions,
                    configs,
                    new ReassignmentControl(partitions, random),
                    new FeatureControl(
                            config.atStart().nodeId(),
                            config.atStart().getInt("min.insync.replicas"),
                            FeatureControl.SUPPORTED));
        }
    }

    /** Answers a request by a change of the metadata, once the change is committed. */
    <R> void submit(
            Controller.Command<R> command,
            RequestContext context,
            Responder responder,
            Function<R, ApiMessage> answer) {
        answerOrForward(controller.submit(context.frame().api().name, command), context, responder, answer);
    }

    /** The same, with REQUEST_TIMED_OUT if that takes longer: a change that has not been decided by then is not made. */
    <R> void submit(
            Controller.Command<R> command,
            RequestContext context,
            Responder responder,
            Function<R, ApiMessage> answer,
            int timeoutMs) {
        CompletableFuture<R> outcome = controller.submit(context.frame().api().name, command);
        if (!outcome.isDone()) {
            CompletableFuture<R> unused = context.within(
                    timeoutMs,
                    time.ticker(),
                    outcome,
                    () -> outcome.completeExceptionally(
                            new TimeoutException("The change took longer than " + timeoutMs + " ms")));
        }
        answerOrForward(outcome, context, responder, answer);
    }

    /** The lead was lost after the request had come in: whoever has it now answers. A forwarded request goes back instead. */
    <R> void answerOrForward(
            CompletableFuture<R> outcome, RequestContext context, Responder responder, Function<R, ApiMessage> answer) {
        var unused = outcome.thenCompose(result -> settled(result, context))
                .thenApply(answer)
                .whenComplete((body, failure) -> {
                    if (failure == null) {
                        responder.respond(body);
                    } else if (ErrorResponses.errorOf(failure) == Errors.NOT_CONTROLLER && !context.forwarded()) {
                        forwarder.forward(context, responder);
                    } else {
                        ErrorResponses.answer(context, failure, responder);
                    }
                });
    }

    /**
     * A change is answered when this broker has done what it asks for, so that a topic that was made can be written to; but where many
     * logs are to be opened it is not waited for.
     */
    private <R> CompletableFuture<R> settled(R result, RequestContext context) {
        if (metadata.isSettled()) {
            return CompletableFuture.completedFuture(result);
        }
        CompletableFuture<@Nullable Void> settled = metadata.settled();
        int atMostMs = metadata.unsettledPartitions() > MANY ? SETTLE_MANY_MS : SETTLE_MS;
        return context.within(atMostMs, time.ticker(), settled, () -> settled.complete(null))
                .thenApply(nothing -> result);
    }

    /** Answers a request when {@code outcome} is there, or with the error it failed with. */
    @SuppressWarnings("FutureReturnValueIgnored") // the responder is told of the outcome, whatever it is
    static <R> void answer(
            CompletableFuture<R> outcome, RequestContext context, Responder responder, Function<R, ApiMessage> answer) {
        outcome.thenApply(answer).whenComplete((body, failure) -> {
            if (failure != null) {
                ErrorResponses.answer(context, failure, responder);
            } else {
                responder.respond(body);
            }
        });
    }
}
