package io.barnabas.ejb;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready: the logs are recovered and every listener is open. */
@Readiness
@ApplicationScoped
public class BrokerReady implements HealthCheck {
    @Inject
    private BrokerLifecycle lifecycle;

    @Override
    public HealthCheckResponse call() {
        BrokerStatus status = lifecycle.status();
        return HealthCheckResponse.named("broker")
                .status(status.state() == BrokerStatus.State.SERVING)
                .withData("state", status.getState())
                .withData("failure", status.getFailure())
                .build();
    }
}
