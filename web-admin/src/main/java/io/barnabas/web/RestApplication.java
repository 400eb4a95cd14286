package io.barnabas.web;

import jakarta.ws.rs.ApplicationPath;
import jakarta.ws.rs.core.Application;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.OpenAPIDefinition;
import org.eclipse.microprofile.openapi.annotations.info.Info;

/** REST under /api/v1; the server's /openapi describes it. */
@ApplicationPath("/api/v1")
@OpenAPIDefinition(
        info =
                @Info(
                        title = "Barnabas",
                        version = "1",
                        description =
                                "Read-only views of the broker: overview, topics, groups. Sizes in bytes, times in milliseconds."))
public class RestApplication extends Application {
    @Override
    public Set<Class<?>> getClasses() {
        return Set.of(BrokerResource.class);
    }
}
