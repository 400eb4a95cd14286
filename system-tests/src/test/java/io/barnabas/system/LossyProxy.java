package io.barnabas.system;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * A proxy between clients and a broker that passes whole requests and answers, and breaks connections: all at once, or one at a chosen
 * request, before the broker has it or before the client has the answer. Two threads a connection.
 */
final class LossyProxy implements AutoCloseable {
    /** The moment at which a connection breaks. */
    enum Loss {
        BEFORE_DELIVERY,
        BEFORE_ANSWER
    }

    private record Order(ApiKeys api, Loss loss) {}

    private static final int NONE = Integer.MIN_VALUE;

    private final ServerSocket listener = listen();
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Order> order = new AtomicReference<>();
    private final AtomicInteger losses = new AtomicInteger();
    private volatile int target;

    LossyProxy() {
        start(this::accept, "proxy");
    }

    private static ServerSocket listen() {
        try {
            return new ServerSocket(BarnabasProcess.freePort(), 100, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new IllegalStateException("the proxy's port was taken", e);
        }
    }

    /** The broker's port on the loopback address. */
    void target(int port) {
        target = port;
    }

    String bootstrap() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /** The next request of that kind costs its connection. */
    void loseNext(ApiKeys api, Loss loss) {
        order.set(new Order(api, loss));
    }

    /** How many connections chosen requests have cost so far. */
    int losses() {
        return losses.get();
    }

    /** Resets every connection there is, towards both sides, and says how many those were. */
    int resetAll() {
        int count = 0;
        for (Connection connection : connections) {
            connection.reset();
            count++;
        }
        return count;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Connection connection = new Connection(listener.accept());
                connections.add(connection);
                start(connection::requests, "proxy-requests");
            } catch (IOException closed) {
                continue;
            }
        }
    }

    private static void start(Runnable action, String name) {
        Thread thread = new Thread(action, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        resetAll();
    }

    private final class Connection {
        private final Socket client;
        private final Socket broker = new Socket();
        private volatile int unanswered = NONE; // correlation id of the request whose answer is to be lost

        Connection(Socket client) {
            this.client = client;
        }

        /** Passes requests on until one side ends. */
        void requests() {
            try {
                client.setTcpNoDelay(true);
                broker.setTcpNoDelay(true);
                broker.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), target));
                start(this::answers, "proxy-answers");
                DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
                DataOutputStream out = new DataOutputStream(broker.getOutputStream());
                while (true) {
                    byte[] frame = frame(in);
                    if (isLostBeforeDelivery(ByteBuffer.wrap(frame))) {
                        break;
                    }
                    pass(frame, out);
                }
            } catch (IOException ended) {
                reset();
                return;
            }
            reset();
        }

        private boolean isLostBeforeDelivery(ByteBuffer request) {
            short api = request.getShort(0);
            Optional<Order> due = Optional.ofNullable(order.get()).filter(o -> o.api.id == api);
            if (due.isEmpty() || !order.compareAndSet(due.get(), null)) {
                return false;
            }
            if (due.get().loss == Loss.BEFORE_DELIVERY) {
                losses.incrementAndGet();
                return true;
            }
            unanswered = request.getInt(4);
            return false;
        }

        private void answers() {
            try {
                DataInputStream in = new DataInputStream(new BufferedInputStream(broker.getInputStream()));
                DataOutputStream out = new DataOutputStream(client.getOutputStream());
                while (true) {
                    byte[] frame = frame(in);
                    if (ByteBuffer.wrap(frame).getInt(0) == unanswered) {
                        losses.incrementAndGet();
                        break;
                    }
                    pass(frame, out);
                }
            } catch (IOException ended) {
                reset();
                return;
            }
            reset();
        }

        private byte[] frame(DataInputStream in) throws IOException {
            byte[] frame = new byte[in.readInt()];
            in.readFully(frame);
            return frame;
        }

        private void pass(byte[] frame, DataOutputStream out) throws IOException {
            out.write(ByteBuffer.allocate(4 + frame.length)
                    .putInt(frame.length)
                    .put(frame)
                    .array());
        }

        void reset() {
            connections.remove(this);
            for (Socket socket : new Socket[] {client, broker}) {
                try {
                    socket.setSoLinger(true, 0);
                    socket.close();
                } catch (IOException closedAlready) {
                    continue;
                }
            }
        }
    }
}
