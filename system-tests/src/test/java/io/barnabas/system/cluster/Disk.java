package io.barnabas.system.cluster;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A disk of a node's own: ext4 in a file behind a loop device. It can be full, refuse all writes, or lose its power, with which goes
 * everything that nobody has forced: ext4 stops, as it does for its own tests of such losses, and what is only in the machine's memory
 * never reaches the file. Used by one thread.
 */
final class Disk {
    private static final long BYTES = 256L << 20;
    private static final int UNMOUNT_TRIES = 50;

    /** Stops the file system without writing back anything, its journal neither (EXT4_IOC_SHUTDOWN, NOLOGFLUSH). */
    private static final String STOP =
            "import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack('I',2))";

    private final Path image;
    private final Path mount;

    private Disk(Path image, Path mount) {
        this.image = image;
        this.mount = mount;
    }

    /** Makes a new one, empty, at that place. */
    static Disk make(Path mount) throws IOException {
        Files.createDirectories(mount);
        Disk disk = new Disk(mount.resolveSibling(mount.getFileName() + ".ext4"), mount);
        disk.format();
        return disk;
    }

    private void format() throws IOException {
        Files.deleteIfExists(image);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(BYTES);
        }
        Command.run("mkfs.ext4", "-q", "-F", "-m", "0", image.toString());
        mount();
    }

    private void mount() {
        Command.run("mount", "-o", "loop,noatime", image.toString(), mount.toString());
        try {
            Files.delete(Files.createTempFile(mount, "trial", ".tmp"));
        } catch (IOException stillAsItWas) {
            throw new IllegalStateException(mount + " is mounted elsewhere, too", stillAsItWas);
        }
    }

    private void unmount() {
        for (int i = 1; Command.result(List.of("umount", mount.toString())).status() != 0; i++) {
            if (i == UNMOUNT_TRIES) {
                throw new IllegalStateException(mount + " is still in use");
            }
            Pause.of(Duration.ofMillis(100));
        }
    }

    /** Why this machine has none; empty if it has. */
    static Optional<String> missing() {
        try {
            Path place = Files.createTempDirectory("disk-");
            Disk disk = new Disk(place.resolve("trial.ext4"), Files.createDirectory(place.resolve("trial")));
            try {
                disk.format();
                disk.losePower();
                disk.repair();
                return Optional.empty();
            } finally {
                disk.remove();
                Files.deleteIfExists(disk.mount);
                Files.deleteIfExists(place);
            }
        } catch (IOException | IllegalStateException e) {
            return Optional.of(
                    "a file system of one's own (loop device, mkfs.ext4, mount, python3) is not allowed here: "
                            + e.getMessage());
        }
    }

    /** Takes all room that is left, to the last block. */
    void fill() throws IOException {
        long room = Files.getFileStore(mount).getUsableSpace();
        Command.result(List.of(
                "fallocate", "-l", Long.toString(room - (1 << 20)), ballast(0).toString()));
        try (OutputStream rest = Files.newOutputStream(ballast(1))) {
            byte[] block = new byte[512];
            while (true) {
                rest.write(block);
            }
        } catch (IOException full) {
            // as it is meant
        }
    }

    private Path ballast(int number) {
        return mount.resolve("ballast" + number + ".tmp");
    }

    /** Gives the room back. */
    void free() throws IOException {
        Files.deleteIfExists(ballast(0));
        Files.deleteIfExists(ballast(1));
    }

    /** From now on it refuses writes (EROFS), as ext4 does after an error of the disk. */
    void turnReadOnly() {
        Command.run("mount", "-o", "remount,abort", mount.toString());
    }

    /** It is gone from one moment to the next (EIO), with what was not forced. */
    void losePower() {
        Command.run("python3", "-c", STOP, mount.toString());
    }

    /** Nobody uses it any more: it is taken off and put on again, with what is on it. */
    void repair() {
        unmount();
        mount();
    }

    /** Takes it away for good. */
    void remove() throws IOException {
        Command.result(List.of("umount", "-l", mount.toString()));
        Files.deleteIfExists(image);
    }
}
