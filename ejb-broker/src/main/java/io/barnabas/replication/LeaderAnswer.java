package io.barnabas.replication;

import io.barnabas.port.PeerConnection;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/** The answer of a leader's broker, of the type that was asked for. On the connection's event loop. */
final class LeaderAnswer<T extends ApiMessage> implements PeerConnection.Answer {
    private final Class<T> type;
    private final Consumer<T> onAnswer;
    private final Consumer<RuntimeException> onFailure;

    LeaderAnswer(Class<T> type, Consumer<T> onAnswer, Consumer<RuntimeException> onFailure) {
        this.type = type;
        this.onAnswer = onAnswer;
        this.onFailure = onFailure;
    }

    /**
     * Asks for it.
     *
     * @param over null if there is no connection
     */
    void ask(@Nullable PeerConnection over, ApiMessage request, int timeoutMs) {
        if (over == null) {
            onFailure.accept(new DisconnectException("no connection"));
        } else {
            over.send(request, ApiKeys.forId(request.apiKey()).latestVersion(false), timeoutMs, this);
        }
    }

    @Override
    public void onAnswer(ApiMessage body) {
        if (type.isInstance(body)) {
            onAnswer.accept(type.cast(body));
        } else {
            onFailure.accept(new DisconnectException("An answer of another kind: " + body.getClass()));
        }
    }

    @Override
    public void onFailure(RuntimeException cause) {
        onFailure.accept(cause);
    }
}
