package io.barnabas.launcher;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * What can be refused before a server is started: a directory that cannot be written or is in use, a port that is taken. The broker
 * checks the same again when it opens them; here it costs nothing and the message is the last line on the screen.
 */
final class Preflight {
    private Preflight() {}

    static void check(Settings settings) {
        for (Path dir : settings.dataDirectories()) {
            checkDirectory(dir);
        }
        for (Settings.Listener listener : settings.listeners()) {
            checkPort(listener);
        }
        checkPort(new Settings.Listener(Settings.HTTP_PORT, settings.httpHost(), settings.httpPort()));
    }

    private static void checkDirectory(Path dir) {
        try {
            Files.createDirectories(dir);
        } catch (IOException e) {
            throw new Refusal("the data directory " + dir + " cannot be made: " + e);
        }
        if (!Files.isWritable(dir)) {
            throw new Refusal("the data directory " + dir + " cannot be written");
        }
        checkLock(dir);
    }

    /** Kafka's own lock file, so that a Kafka broker on the same directory is noticed too. */
    private static void checkLock(Path dir) {
        try (FileChannel file =
                        FileChannel.open(dir.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = file.tryLock()) {
            if (lock == null) {
                throw new Refusal("the data directory " + dir + " is in use by another process"
                        + ServerPid.of(dir).map(pid -> " (pid " + pid + ")").orElse(""));
            }
        } catch (OverlappingFileLockException | IOException e) {
            throw new Refusal("the data directory " + dir + " cannot be locked: " + e);
        }
    }

    private static void checkPort(Settings.Listener listener) {
        if (listener.port() == 0) {
            return;
        }
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            for (InetSocketAddress address : addresses(listener)) {
                socket.bind(address, 1);
            }
        } catch (UnknownHostException e) {
            throw new Refusal("the host " + listener.host() + " in " + listener.key() + " is not known");
        } catch (IOException e) {
            throw new Refusal("cannot listen on " + (listener.host().isEmpty() ? "*" : listener.host()) + ":"
                    + listener.port() + " (" + listener.key() + "): " + e.getMessage());
        }
    }

    private static List<InetSocketAddress> addresses(Settings.Listener listener) throws UnknownHostException {
        return List.of(
                listener.host().isEmpty()
                        ? new InetSocketAddress(listener.port())
                        : new InetSocketAddress(InetAddress.getByName(listener.host()), listener.port()));
    }
}
