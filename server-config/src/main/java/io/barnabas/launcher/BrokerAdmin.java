package io.barnabas.launcher;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Node;

/** A connection for the commands that look at a broker. */
final class BrokerAdmin {
    private static final int PATIENCE_MS = 10_000;

    private BrokerAdmin() {}

    static Admin connect(String bootstrap) {
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
        return new Refusal(bootstrap + ": " + cause.getMessage());
    }

    static String ids(Collection<Node> nodes) {
        return nodes.stream().map(Node::idString).collect(Collectors.joining(","));
    }
}
