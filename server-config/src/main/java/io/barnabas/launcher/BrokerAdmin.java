package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.TimeoutException;

/** A connection for the commands that look at a broker. */
final class BrokerAdmin {
    private static final int PATIENCE_MS = 10_000;

    /** Warns of every attempt to connect; what came of them is said in one line here. */
    private static final Logger CLIENT_LOG = Logger.getLogger("org.apache.kafka");

    private BrokerAdmin() {}

    /** @throws Refusal if the address is none */
    static Admin connect(String bootstrap) {
        CLIENT_LOG.setLevel(Level.SEVERE);
        try {
            return create(bootstrap);
        } catch (KafkaException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new Refusal(bootstrap + ": " + cause.getMessage() + "; --bootstrap names another broker");
        }
    }

    private static Admin create(String bootstrap) {
        return Admin.create(Map.of(
                "bootstrap.servers",
                bootstrap,
                "client.id",
                "barnabas-cli",
                "request.timeout.ms",
                PATIENCE_MS,
                "default.api.timeout.ms",
                PATIENCE_MS));
    }

    static Refusal refusal(String bootstrap, ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return new Refusal(
                cause instanceof TimeoutException
                        ? "no broker answers on " + bootstrap + "; --bootstrap names another"
                        : bootstrap + ": " + cause.getMessage());
    }

    static String ids(Collection<Node> nodes) {
        return nodes.stream().map(Node::idString).collect(Collectors.joining(","));
    }
}
