package io.barnabas.ejb;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/** Alive: starting or serving; a broker that has failed comes back only by a restart. */
@Liveness
@ApplicationScoped
public class BrokerAlive implements HealthCheck {
    @Inject
    private BrokerLifecycle lifecycle;

    @Override
    public HealthCheckResponse call() {
        BrokerStatus status = lifecycle.status();
        return HealthCheckResponse.named("broker")
                .status(status.state() != BrokerStatus.State.FAILED)
                .withData("state", status.getState())
                .build();
    }
}
