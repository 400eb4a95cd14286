import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;

/**
 * Run by the build: {@code java OneJar.java FOLDER TARGET KEPT...} puts the jars of FOLDER into the one jar TARGET in it, and removes
 * them; those whose names begin with a word of KEPT stay. A class or resource that is looked up in vain is looked up in every jar of
 * the class path, which with 350 of them was a third of the server's start. The order is that of the names, as on the class path: of two
 * files of one name the first is seen there, and it is the one that is taken; lists of services and of the container's components,
 * of which every one is read, are put together.
 */
public final class OneJar {
    private static final List<String> LISTS = List.of("META-INF/services/", "META-INF/hk2-locator/");

    /** What says something of one jar, or nothing to a server. */
    private static final List<String> LEFT_OUT =
            List.of("META-INF/MANIFEST.MF", "META-INF/INDEX.LIST", "META-INF/native-image/");

    /** A jar's signature, which says nothing of the one jar: beside classes of others it would refuse them. */
    private static final Pattern SIGNATURE =
            Pattern.compile("META-INF/[^/]+\\.(SF|RSA|DSA|EC)", Pattern.CASE_INSENSITIVE);

    private final Set<String> taken = new HashSet<>();
    private final Map<String, StringBuilder> lists = new LinkedHashMap<>();
    private final JarOutputStream target;

    private OneJar(JarOutputStream target) {
        this.target = target;
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path target = folder.resolve(arguments[1]);
        List<String> kept = List.of(arguments).subList(2, arguments.length);
        List<Path> jars;
        try (Stream<Path> files = Files.list(folder)) {
            jars = files.filter(file -> file.toString().endsWith(".jar") && !file.equals(target))
                    .filter(file -> kept.stream().noneMatch(file.getFileName().toString()::startsWith))
                    .sorted()
                    .toList();
        }
        try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(target), 1 << 16);
                JarOutputStream out = new JarOutputStream(file)) {
            out.setLevel(Deflater.BEST_SPEED);
            OneJar one = new OneJar(out);
            one.write("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMulti-Release: true\r\n".getBytes(StandardCharsets.UTF_8));
            for (Path jar : jars) {
                one.add(jar);
            }
            one.writeLists();
        }
        for (Path jar : jars) {
            Files.delete(jar);
        }
        System.out.println(jars.size() + " jars are now " + target);
    }

    private void add(Path path) throws IOException {
        try (JarFile jar = new JarFile(path.toFile())) {
            for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                try (InputStream in = jar.getInputStream(entry)) {
                    add(entry.getName(), in);
                }
            }
        }
    }

    private void add(String name, InputStream in) throws IOException {
        if (LEFT_OUT.stream().anyMatch(name::startsWith)
                || name.endsWith("module-info.class")
                || SIGNATURE.matcher(name).matches()) {
            return;
        }
        if (!name.endsWith("/") && LISTS.stream().anyMatch(name::startsWith)) {
            String list = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            lists.computeIfAbsent(name, key -> new StringBuilder()).append(list).append('\n');
        } else if (taken.add(name)) {
            write(name, in.readAllBytes());
        }
    }

    private void writeLists() throws IOException {
        for (Map.Entry<String, StringBuilder> list : lists.entrySet()) {
            write(list.getKey(), list.getValue().toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    /** All of one time, so that the same jars make the same jar. */
    private void write(String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(1_767_225_600_000L);
        target.putNextEntry(entry);
        target.write(content);
        target.closeEntry();
    }
}
