package io.barnabas.port;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A network without sockets: joins the {@link PeerConnector}s of some hosts with the {@link RequestDispatcher}s of others, with faults.
 * Every message goes through the codec of the wire, and its bytes are spoilt as soon as they are no longer to be used, so that a
 * reader who keeps a view of them is found out. As TCP does, a direction that is cut keeps what is sent and delivers it in order when it
 * is healed; nobody is told of the cut but by time.
 *
 * <p>All of it runs on the ticker's thread: with a {@code ManualTicker} on the one that advances it ({@code advance(0)} delivers what
 * has no delay). Methods may be called from any thread.
 */
public final class MemoryNetwork {
    private final Clock clock;
    private final Ticker ticker;
    private final Map<Address, Listening> listening = new ConcurrentHashMap<>();
    private final Set<Link> cuts = ConcurrentHashMap.newKeySet();
    private final Set<Link> trickling = ConcurrentHashMap.newKeySet();
    private final Map<Link, Long> delays = new ConcurrentHashMap<>();
    private final Set<MemoryPeer> open =
            Collections.synchronizedSet(new LinkedHashSet<>()); // in one order at every run
    private final AtomicLong ids = new AtomicLong();

    public MemoryNetwork(Clock clock, Ticker ticker) {
        this.clock = clock;
        this.ticker = ticker;
    }

    private record Address(String host, int port) {}

    /** One direction between two hosts. */
    record Link(String from, String to) {}

    record Listening(String listenerName, RequestDispatcher dispatcher) {}

    /** Requests to this address come to {@code dispatcher}, as if on its listener of this name. */
    public void listen(String host, int port, String listenerName, RequestDispatcher dispatcher) {
        listening.put(new Address(host, port), new Listening(listenerName, dispatcher));
    }

    /** The connector of a host. */
    public PeerConnector connector(String host) {
        return (to, port, clientId) -> {
            MemoryPeer peer = new MemoryPeer(this, new Link(host, to), port, clientId);
            open.add(peer);
            ticker.after(delay(new Link(host, to)), peer::arrive);
            return peer;
        };
    }

    /** What is sent in this direction from here on stays under way. */
    public void cut(String from, String to) {
        cuts.add(new Link(from, to));
    }

    /** Of an answer that is sent in this direction from here on only parts arrive, before all is healed. */
    public void trickle(String from, String to) {
        cut(from, to);
        trickling.add(new Link(from, to));
    }

    boolean trickles(Link link) {
        return trickling.contains(link);
    }

    /** Cuts both directions between the host and all others. */
    public void isolate(String host, String... others) {
        for (String other : others) {
            cut(host, other);
            cut(other, host);
        }
    }

    /** Heals every cut; what was under way arrives. */
    public void heal() {
        cuts.clear();
        trickling.clear();
        for (MemoryPeer peer : opened()) {
            ticker.after(0, peer::deliver);
        }
    }

    /** Messages of this direction take so long from here on; never past one that was sent before. */
    public void delay(String from, String to, long ms) {
        delays.put(new Link(from, to), ms);
    }

    /** The host's process has died: it listens no more, and its connections are closed at both ends (unless they are cut). */
    public void kill(String host) {
        listening.keySet().removeIf(address -> address.host().equals(host));
        for (MemoryPeer peer : opened()) {
            if (peer.touches(host)) {
                ticker.after(0, peer::reset);
            }
        }
    }

    /** Connections between two hosts are lost, with all that is under way. */
    public void drop(String one, String other) {
        for (MemoryPeer peer : opened()) {
            if (peer.touches(one) && peer.touches(other)) {
                ticker.after(0, peer::reset);
            }
        }
    }

    private List<MemoryPeer> opened() {
        synchronized (open) {
            return List.copyOf(open);
        }
    }

    boolean isCut(Link link) {
        return cuts.contains(link);
    }

    long delay(Link link) {
        return delays.getOrDefault(link, 0L);
    }

    @Nullable
    Listening listening(String host, int port) {
        return listening.get(new Address(host, port));
    }

    void forget(MemoryPeer peer) {
        open.remove(peer);
    }

    long nextId() {
        return ids.incrementAndGet();
    }

    Clock clock() {
        return clock;
    }

    Ticker ticker() {
        return ticker;
    }
}
