package io.barnabas.ejb;

import jakarta.enterprise.context.ApplicationScoped;

/**
 * Whether every bean of the application can be called: the doorbell may ring before that, since the container activates
 * message-driven beans one by one with the others, and warns in its log of a call that comes too early. Written once by the thread
 * that deploys; read by the doorbell's.
 */
@ApplicationScoped
public class ApplicationUp {
    private volatile boolean up;

    /** Said by a bean that the container starts when all can be called. */
    public void isNow() {
        up = true;
    }

    /** Whether beans can be called. */
    public boolean isUp() {
        return up;
    }
}
