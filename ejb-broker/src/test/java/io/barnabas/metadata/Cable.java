package io.barnabas.metadata;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What lies between a server and those that connect to it, on a port of its own. When it is cut what is sent is lost, and nobody is told:
 * connections that were made before, or meanwhile, are dead for ever. After it was healed new ones reach the server.
 */
final class Cable implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final ServerSocket entry;
    private final int serverPort;
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private volatile boolean cut;

    Cable(int serverPort) throws IOException {
        this.serverPort = serverPort;
        this.entry = new ServerSocket();
        entry.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        begin(this::accept);
    }

    private static void begin(Runnable task) {
        Thread thread = new Thread(task, "cable");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return entry.getLocalPort();
    }

    void cut() {
        cut = true;
        connections.forEach(each -> each.dead = true);
    }

    void heal() {
        cut = false;
    }

    private void accept() {
        try {
            while (true) {
                Connection next = new Connection(entry.accept());
                connections.add(next);
                next.dead |= cut;
                begin(next::connect);
            }
        } catch (IOException e) {
            connections.forEach(Connection::close); // the end
        }
    }

    @Override
    public void close() throws IOException {
        entry.close();
    }

    private final class Connection {
        private final Socket client;
        private final Socket server = new Socket();
        private volatile boolean dead;

        private Connection(Socket client) {
            this.client = client;
        }

        private void connect() {
            if (dead) {
                return;
            }
            try {
                server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), serverPort));
                server.setTcpNoDelay(true);
                client.setTcpNoDelay(true);
                begin(() -> carry(server, client));
                carry(client, server);
            } catch (IOException e) {
                close();
            }
        }

        private void carry(Socket from, Socket to) {
            byte[] buffer = new byte[BUFFER_BYTES];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(buffer); read >= 0 && !dead; read = in.read(buffer)) {
                    out.write(buffer, 0, read);
                }
            } catch (IOException e) {
                close();
                return;
            }
            if (!dead) {
                close();
            }
        }

        private void close() {
            try {
                client.close();
                server.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
