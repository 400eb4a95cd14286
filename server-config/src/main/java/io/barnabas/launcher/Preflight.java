package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.ServerPid;
import io.barnabas.start.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What can be refused before a server is started: a directory that cannot be written or is in use, a port that is taken. The broker
 * checks the same again when it opens them; here it costs nothing and the message is the last line on the screen.
 */
final class Preflight {
    private Preflight() {}

    /**
     * Checks directories and ports.
     *
     * @return what the operator should hear of although the start goes on
     * @throws Refusal if it cannot go on
     */
    static List<String> check(Settings settings) {
        List<String> warnings = new ArrayList<>();
        List<Path> directories = settings.dataDirectories();
        checkFirst(directories.get(0));
        for (Path other : directories.subList(1, directories.size())) {
            try {
                checkDirectory(other);
            } catch (Unusable e) {
                warnings.add(e.getMessage() + "; the start goes on without it");
            }
        }
        List<Settings.Listener> sockets = settings.sockets();
        checkPortsDiffer(sockets);
        sockets.forEach(Preflight::checkPort);
        checkOwnName(InetAddress::getLocalHost);
        return warnings;
    }

    /** A directory that is broken, as disks break; one of several may be. */
    private static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        Unusable(Path dir, String reason) {
            super("the data directory " + dir + " " + reason);
        }

        @Override
        public String getMessage() {
            return String.valueOf(super.getMessage());
        }
    }

    /** The first directory must be usable: what belongs to the process is in it. */
    private static void checkFirst(Path dir) {
        try {
            checkDirectory(dir);
        } catch (Unusable e) {
            throw new Refusal(e.getMessage() + "; name another with --data (or log.dirs)");
        }
    }

    private static void checkDirectory(Path dir) throws Unusable {
        if (Files.exists(dir) && !Files.isDirectory(dir)) {
            throw new Unusable(dir, "cannot be made: it is a file");
        }
        try {
            Files.createDirectories(dir);
        } catch (IOException e) {
            throw new Unusable(dir, "cannot be made: " + reason(e));
        }
        if (!Files.isWritable(dir)) {
            throw new Unusable(dir, "cannot be written by this user");
        }
        checkLock(dir);
    }

    /** Kafka's own lock file, so that a Kafka broker on the same directory is noticed too. */
    private static void checkLock(Path dir) throws Unusable {
        if (ServerPid.of(dir).isPresent()) {
            throw ServerPid.inUse(dir);
        }
        try (FileChannel file =
                FileChannel.open(dir.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (!ServerPid.isFree(file)) {
                throw ServerPid.inUse(dir);
            }
        } catch (OverlappingFileLockException e) {
            throw ServerPid.inUse(dir);
        } catch (IOException e) {
            throw new Unusable(dir, "cannot be written: " + reason(e));
        }
    }

    /** The reason in words; the names of Java's exceptions tell an operator nothing. */
    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException denied) {
            return "this user may not write " + denied.getFile();
        }
        if (e instanceof FileAlreadyExistsException) {
            return e.getMessage() + " is a file";
        }
        return e instanceof FileSystemException failed && failed.getReason() != null
                ? failed.getFile() + ": " + failed.getReason()
                : "the system does not allow " + e.getMessage();
    }

    private static void checkPortsDiffer(List<Settings.Listener> sockets) {
        for (int i = 0; i < sockets.size(); i++) {
            Settings.Listener one = sockets.get(i);
            for (Settings.Listener other : sockets.subList(i + 1, sockets.size())) {
                if (one.port() != 0 && one.port() == other.port() && overlap(one, other)) {
                    throw new Refusal("the port " + one + " stands twice in the configuration, in " + one.key()
                            + " and in " + other.key() + ": choose another for one of them");
                }
            }
        }
    }

    private static boolean overlap(Settings.Listener one, Settings.Listener other) {
        return one.host().equals(other.host()) || isEveryAddress(one) || isEveryAddress(other);
    }

    private static boolean isEveryAddress(Settings.Listener listener) {
        return listener.host().isEmpty()
                || listener.host().equals("0.0.0.0")
                || listener.host().equals("::");
    }

    private static void checkPort(Settings.Listener listener) {
        if (listener.port() == 0) {
            return;
        }
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(address(listener), 1);
        } catch (UnknownHostException e) {
            throw new Refusal("the host " + listener.host() + " in " + listener.key() + " is not known");
        } catch (IOException e) {
            throw new Refusal("cannot listen on " + listener + " (" + listener.key() + "): " + e.getMessage() + "; "
                    + advice(listener));
        }
    }

    /** How this machine's own address is asked for. */
    @FunctionalInterface
    interface OwnAddress {
        InetAddress ask() throws UnknownHostException;
    }

    /** The container asks at its start, several times, and cannot go on without an answer; no setting spares it the question. */
    static void checkOwnName(OwnAddress own) {
        try {
            own.ask();
        } catch (UnknownHostException e) {
            String name = String.valueOf(e.getMessage()).split(":", 2)[0];
            throw new Refusal("this machine does not know the address of its own name, " + name
                    + ": add the line \"127.0.0.1 " + name + "\" to /etc/hosts, or change the name");
        }
    }

    private static String advice(Settings.Listener listener) {
        return switch (listener.key()) {
            case Settings.HTTP_PORT -> "choose another port for the console with --http-port N";
            case Settings.VOTERS -> "choose another for this node, in the same words on all nodes";
            default -> "choose another with --set listeners=PLAINTEXT://HOST:PORT";
        };
    }

    private static InetSocketAddress address(Settings.Listener listener) throws UnknownHostException {
        return listener.host().isEmpty()
                ? new InetSocketAddress(listener.port())
                : new InetSocketAddress(InetAddress.getByName(listener.host()), listener.port());
    }
}
