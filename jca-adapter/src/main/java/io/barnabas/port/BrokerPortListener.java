package io.barnabas.port;

/**
 * The listener type of the broker's own message-driven bean: the doorbell. When the container has started the application it
 * activates the bean; the resource adapter hands it a {@link BrokerPort}, and opens sockets once it has the answer. Deactivation
 * takes the same way back: sockets, dispatcher, log.
 */
public interface BrokerPortListener {
    /**
     * @param port what the resource adapter offers; valid until {@link RequestDispatcher#close} returns
     * @return the broker, ready to serve
     * @throws Exception if the broker cannot start: the message is for the operator, the sockets stay closed
     */
    RequestDispatcher onPort(BrokerPort port) throws Exception;
}
