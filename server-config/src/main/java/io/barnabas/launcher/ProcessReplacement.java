package io.barnabas.launcher;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.StringArray;
import io.barnabas.start.Refusal;
import java.io.IOException;
import java.util.List;

/**
 * {@code execv}: puts another program in the place of this process. A JVM can only get its options when it starts, and a child would
 * outlive a SIGKILL of its parent; so the launcher goes away altogether.
 */
final class ProcessReplacement {
    private static final int FIRST_OWN_DESCRIPTOR = 3;
    private static final int DESCRIPTORS = 256;
    private static final int F_SETFD = 2;
    private static final int FD_CLOEXEC = 1;

    private ProcessReplacement() {}

    /** The C library. */
    interface C extends Library {
        int execv(String path, StringArray arguments);

        int fcntl(int descriptor, int command, int value);
    }

    /** Does not return where the system knows {@code execv}; elsewhere it runs the program as a child and ends with its exit code. */
    static void exec(List<String> command) {
        System.out.flush();
        System.err.flush();
        try {
            C c = Native.load("c", C.class);
            for (int fd = FIRST_OWN_DESCRIPTOR; fd < DESCRIPTORS; fd++) {
                c.fcntl(fd, F_SETFD, FD_CLOEXEC);
            }
            c.execv(command.get(0), new StringArray(command.toArray(new String[0])));
        } catch (LinkageError e) {
            runAsChild(command);
            return;
        }
        throw new Refusal("cannot start " + command.get(0) + ": error " + Native.getLastError());
    }

    private static void runAsChild(List<String> command) {
        try {
            Process child = new ProcessBuilder(command).inheritIO().start();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                child.destroy();
                child.onExit().join();
            }));
            System.exit(child.waitFor());
        } catch (IOException e) {
            throw new Refusal("cannot start " + command.get(0) + ": " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
