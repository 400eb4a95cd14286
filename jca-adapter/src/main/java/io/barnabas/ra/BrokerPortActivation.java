package io.barnabas.ra;

import io.barnabas.port.BrokerPortListener;
import jakarta.resource.ResourceException;
import jakarta.resource.spi.Activation;
import jakarta.resource.spi.ActivationSpec;
import jakarta.resource.spi.ResourceAdapter;
import org.jspecify.annotations.Nullable;

/** Activates the broker's own bean; it has no properties, because the broker answers with its settings. The container's thread. */
@Activation(messageListeners = BrokerPortListener.class)
public class BrokerPortActivation implements ActivationSpec {
    private @Nullable ResourceAdapter resourceAdapter;

    @Override
    public void validate() {
        // no property, nothing to be wrong
    }

    @Override
    public @Nullable ResourceAdapter getResourceAdapter() {
        return resourceAdapter;
    }

    @Override
    public void setResourceAdapter(ResourceAdapter adapter) throws ResourceException {
        resourceAdapter = adapter;
    }
}
