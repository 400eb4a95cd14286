package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * Kafka's command-line tools, as published, in this process but in a class loader of their own: what a tool prints is caught, its exit
 * becomes its end, its shutdown hooks run then. One tool at a time.
 */
public final class KafkaTools implements AutoCloseable {
    /** The package of most tools. */
    public static final String TOOLS = "org.apache.kafka.tools.";

    private final String bootstrap;
    private final URLClassLoader loader;
    private final List<Runnable> hooks = new ArrayList<>();
    private final AtomicReference<Integer> exit = new AtomicReference<>();

    /** A tool asked to exit. Its main method ends by this. */
    @SuppressWarnings("serial")
    private static final class ToolExit extends Error {
        private ToolExit(int status) {
            super("exit " + status, null, false, false);
        }
    }

    /** Tools for the broker, or any of the brokers, at this address. */
    public KafkaTools(String bootstrap) throws Exception {
        this.bootstrap = bootstrap;
        try (Stream<Path> jars = Files.list(Path.of(System.getProperty("kafka.tools")))) {
            loader = new URLClassLoader(
                    jars.map(KafkaTools::url).toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
        }
        Class<?> exits = loader.loadClass("org.apache.kafka.common.utils.Exit");
        Class<?> procedure = loader.loadClass("org.apache.kafka.common.utils.Exit$Procedure");
        Object onExit = Proxy.newProxyInstance(loader, new Class<?>[] {procedure}, (proxy, method, args) -> {
            exit.compareAndSet(null, (Integer) args[0]);
            throw new ToolExit((Integer) args[0]);
        });
        exits.getMethod("setExitProcedure", procedure).invoke(null, onExit);
        exits.getMethod("setHaltProcedure", procedure).invoke(null, onExit);
        Class<?> adder = loader.loadClass("org.apache.kafka.common.utils.Exit$ShutdownHookAdder");
        Object onHook = Proxy.newProxyInstance(loader, new Class<?>[] {adder}, (proxy, method, args) -> {
            hooks.add((Runnable) args[1]);
            return null;
        });
        exits.getMethod("setShutdownHookAdder", adder).invoke(null, onHook);
    }

    private static URL url(Path jar) {
        try {
            return jar.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Runs a tool of {@link #TOOLS} against the broker and returns all that it printed; it must not fail. */
    public String run(String tool, String... args) {
        return runWith(InputStream.nullInputStream(), TOOLS + tool, true, args);
    }

    /** The same with lines to read. */
    public String runWithInput(String input, String tool, String... args) {
        byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
        return runWith(new ByteArrayInputStream(bytes), TOOLS + tool, true, args);
    }

    /** The same for a tool that must end with an error. */
    public String runFailing(String tool, String... args) {
        String printed = runWith(InputStream.nullInputStream(), TOOLS + tool, true, args);
        assertThat(exit.get())
                .as("exit of %s, which printed:%n%s", tool, printed)
                .isNotIn(null, 0);
        return printed;
    }

    /** A class of any package, with these arguments alone. */
    public String runMain(String mainClass, String... args) {
        return runWith(InputStream.nullInputStream(), mainClass, false, args);
    }

    /** A tool that ends its process itself, in one of its own. */
    String runAlone(String tool, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("kafka.tools") + "/*",
                TOOLS + tool,
                "--bootstrap-server",
                bootstrap));
        command.addAll(List.of(args));
        return ForeignClientsTest.run(command.toArray(String[]::new));
    }

    private String runWith(InputStream input, String mainClass, boolean withBroker, String... args) {
        List<String> all = new ArrayList<>();
        if (withBroker) {
            all.addAll(List.of("--bootstrap-server", bootstrap)); // some tools want it before their verb
        }
        all.addAll(List.of(args));
        PrintStream out = System.out;
        PrintStream err = System.err;
        InputStream in = System.in;
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        exit.set(null);
        try (PrintStream caught = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(caught);
            System.setErr(caught);
            System.setIn(input);
            Thread.currentThread().setContextClassLoader(loader);
            main(mainClass, all);
        } finally {
            System.setOut(out);
            System.setErr(err);
            System.setIn(in);
            Thread.currentThread().setContextClassLoader(context);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    private void main(String mainClass, List<String> args) {
        try {
            loader.loadClass(mainClass).getMethod("main", String[].class).invoke(null, (Object)
                    args.toArray(String[]::new));
        } catch (InvocationTargetException e) {
            if (exit.get() == null) {
                throw new AssertionError(mainClass + " " + args + " failed", e.getCause());
            }
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(mainClass, e);
        } finally {
            hooks.forEach(Runnable::run); // some print their results now
            hooks.clear();
        }
    }

    @Override
    public void close() throws IOException {
        loader.close();
    }
}
