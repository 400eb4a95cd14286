package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** kafka-clients of several ages, each in a class loader of its own, against one broker. */
class ClientVersionsTest {
    @TempDir
    static Path dir;

    static BarnabasProcess broker;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(dir.resolve("data"));
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"4.4", "3.9", "2.8"})
    void a_java_client_of_this_version_round_trips(String version) throws Exception {
        try (URLClassLoader loader = new URLClassLoader(classPath(version), ClassLoader.getPlatformClassLoader())) {
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            thread.setContextClassLoader(loader);
            try {
                Object result = loader.loadClass(JavaClientRoundTrip.class.getName())
                        .getMethod("run", String.class, String.class)
                        .invoke(null, broker.bootstrap(), "java-" + version.replace('.', '-'));
                assertThat(result).asString().startsWith("ok " + version);
            } finally {
                thread.setContextClassLoader(before);
            }
        }
    }

    /** The client jar of that version before everything else of this test's class path. */
    private static URL[] classPath(String version) throws Exception {
        List<Path> entries = new ArrayList<>();
        Path old = Path.of(System.getProperty("old.clients", "target/clients"), version);
        if (Files.isDirectory(old)) {
            try (Stream<Path> jars = Files.list(old)) {
                jars.forEach(entries::add);
            }
        } else {
            assertThat(version)
                    .as("an old client's jar is missing from %s", old)
                    .isEqualTo("4.4");
        }
        String present = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Arrays.stream(present.split(":")).map(Path::of).forEach(entries::add);
        URL[] urls = new URL[entries.size()];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = entries.get(i).toUri().toURL();
        }
        return urls;
    }
}
