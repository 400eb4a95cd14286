package io.barnabas.port;

import org.jspecify.annotations.Nullable;

/**
 * The listener type of the broker's own message-driven bean: the doorbell. When the container has started the application it
 * activates the bean; the resource adapter hands it a {@link BrokerPort}, and opens sockets once it has the answer. Deactivation
 * takes the same way back: sockets, dispatcher, log.
 */
public interface BrokerPortListener {
    /**
     * @param port what the resource adapter offers; valid until {@link RequestDispatcher#close} returns
     * @return the broker, ready to serve; null if the application's other beans are not up yet: it is rung again
     * @throws Exception if the broker cannot start: the message is for the operator, the sockets stay closed
     */
    @Nullable
    RequestDispatcher onPort(BrokerPort port) throws Exception;
}
