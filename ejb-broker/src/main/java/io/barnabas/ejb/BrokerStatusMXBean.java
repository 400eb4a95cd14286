package io.barnabas.ejb;

/** The broker's state as a management bean, {@code io.barnabas:type=Broker}. */
public interface BrokerStatusMXBean {
    /** STARTING, SERVING, FAILED or STOPPED. */
    String getState();

    /** Why it failed, for the operator; empty if it has not. */
    String getFailure();

    /** Where clients reach it, host:port. */
    String[] getListeners();
}
