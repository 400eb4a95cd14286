package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The inside of barnabas.jar, unpacked once: the server starts from plain files on a plain class path, which the JVM's class data
 * archive needs, and nothing is unpacked at a later start. The folder's name is the content's, so another version gets another one.
 *
 * @param path the folder
 * @param jar the barnabas.jar it comes from
 */
record RuntimeFolder(Path path, Path jar) {
    private static final String INSIDE = "BARNABAS-INF/";

    /** What Payara Micro's own jar opens for itself. */
    private static final String OPENS =
            "java.base/jdk.internal.loader java.base/java.lang java.base/java.net java.base/java.nio"
                    + " java.base/java.util java.base/sun.nio.ch java.management/sun.management"
                    + " jdk.management/com.sun.management.internal java.base/sun.net.www.protocol.jrt"
                    + " java.base/sun.net.www.protocol.jar java.base/java.io java.naming/javax.naming.spi"
                    + " java.rmi/sun.rmi.transport java.logging/java.util.logging java.management/javax.management"
                    + " java.management/javax.management.openmbean";

    private static final String EXPORTS =
            "java.base/jdk.internal.ref jdk.naming.dns/com.sun.jndi.dns java.naming/com.sun.jndi.ldap";

    /** Finds the folder of the jar that this class is in, and makes it if it is not there. */
    static RuntimeFolder ofThisJar() {
        Path jar = thisJar();
        try (JarFile content = new JarFile(jar.toFile())) {
            Path folder = place(jar).resolve(Version.ofJar() + "-" + fingerprint(content));
            if (!Files.isDirectory(folder)) {
                System.out.println("Unpacking the server into " + folder + " (once)…");
                unpack(content, folder);
            }
            return new RuntimeFolder(folder, jar);
        } catch (IOException e) {
            throw new Refusal("barnabas.jar cannot be unpacked: " + e.getMessage()
                    + "; BARNABAS_RUNTIME names another folder for it");
        }
    }

    private static Path thisJar() {
        try {
            Path jar = Path.of(RuntimeFolder.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            if (Files.isRegularFile(jar)) {
                return jar;
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        throw new Refusal("this must be started from barnabas.jar");
    }

    /** Beside the jar, or in the user's cache if that cannot be written. */
    private static Path place(Path jar) {
        String named = System.getenv("BARNABAS_RUNTIME");
        if (named != null && !named.isBlank()) {
            return Path.of(named).toAbsolutePath();
        }
        Path beside = jar.resolveSibling(".barnabas-runtime");
        if (Files.isDirectory(beside) || Files.isWritable(jar.getParent())) {
            return beside;
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        return cache == null || cache.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache", "barnabas")
                : Path.of(cache, "barnabas");
    }

    private static String fingerprint(JarFile content) {
        CRC32 crc = new CRC32();
        ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
        for (Enumeration<JarEntry> entries = content.entries(); entries.hasMoreElements(); ) {
            JarEntry entry = entries.nextElement();
            crc.update(entry.getName().getBytes(StandardCharsets.UTF_8));
            crc.update(number.clear().putLong(entry.getCrc()).flip());
        }
        return String.format(Locale.ROOT, "%08x", crc.getValue());
    }

    private static void unpack(JarFile content, Path folder) throws IOException {
        Files.createDirectories(folder.getParent());
        Path unfinished = Files.createTempDirectory(folder.getParent(), ".unpacking-");
        for (Enumeration<JarEntry> entries = content.entries(); entries.hasMoreElements(); ) {
            JarEntry entry = entries.nextElement();
            if (!entry.getName().startsWith(INSIDE) || entry.isDirectory()) {
                continue;
            }
            Path target = unfinished
                    .resolve(entry.getName().substring(INSIDE.length()))
                    .normalize();
            if (!target.startsWith(unfinished)) {
                throw new IOException("not a path inside the jar: " + entry.getName());
            }
            Files.createDirectories(target.getParent());
            try (InputStream in = content.getInputStream(entry)) {
                Files.copy(in, target);
            }
        }
        writeLaunchJar(unfinished);
        moveInto(unfinished, folder);
    }

    /** An empty jar whose manifest has the class path: Payara Micro reads from it which jars are its modules. */
    private static void writeLaunchJar(Path folder) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, "io.barnabas.server.Server");
        main.putValue("Add-Opens", OPENS);
        main.putValue("Add-Exports", EXPORTS);
        try (Stream<Path> libraries = Files.list(folder.resolve("lib"))) {
            String path = libraries.map(p -> "lib/" + p.getFileName()).sorted().collect(Collectors.joining(" "));
            main.put(Attributes.Name.CLASS_PATH, path);
        }
        try (OutputStream out = Files.newOutputStream(folder.resolve("launch.jar"));
                JarOutputStream launch = new JarOutputStream(out, manifest)) {
            launch.finish();
        }
    }

    /** Two first starts at once may both unpack; one of them wins and the other's work is dropped. */
    private static void moveInto(Path unfinished, Path folder) throws IOException {
        try {
            Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException | AtomicMoveNotSupportedException e) {
            delete(unfinished);
        } catch (IOException e) {
            delete(unfinished);
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.deleteIfExists(path);
        }
    }

    Path launchJar() {
        return path.resolve("launch.jar");
    }

    /** The class data archive for the JVM that runs now; another JVM would not take it. */
    Path classArchive() {
        CRC32 crc = new CRC32();
        crc.update((System.getProperty("java.vm.version") + System.getProperty("java.vm.vendor"))
                .getBytes(StandardCharsets.UTF_8));
        return path.resolve(String.format(Locale.ROOT, "classes-%08x.jsa", crc.getValue()));
    }

    /** The libraries with these beginnings, for a command that needs Kafka's client. */
    List<Path> libraries(String... beginnings) {
        try (Stream<Path> libraries = Files.list(path.resolve("lib"))) {
            return libraries
                    .filter(p -> Stream.of(beginnings)
                            .anyMatch(b -> p.getFileName().toString().startsWith(b)))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new Refusal("the unpacked server " + path + " cannot be read: " + e);
        }
    }
}
