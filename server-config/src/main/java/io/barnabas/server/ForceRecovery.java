package io.barnabas.server;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The main class of {@code barnabas force-recover}: no container, no socket; the broker's own classes, from the application's archive,
 * look at the directory of a stopped node and change it if told so. Thread: main.
 */
public final class ForceRecovery {
    /** The argument without which nothing is changed. */
    public static final String YES = "--yes";

    private static final String RECOVERY = "io.barnabas.ejb.QuorumRecovery";
    private static final int COULD_NOT = 1;

    private ForceRecovery() {}

    /** Settings come as system properties. Exit codes: 0 done, 1 nothing was changed. */
    public static void main(String[] args) {
        boolean yes = List.of(args).contains(YES);
        try {
            run(
                            Settings.ofSystemProperties(),
                            ServerSettings.ofSystemProperties().deploy(),
                            yes)
                    .forEach(System.out::println);
        } catch (Refusal | IOException e) {
            System.err.println("barnabas: cannot recover: " + e.getMessage());
            System.exit(COULD_NOT);
        }
        System.exit(yes ? 0 : COULD_NOT);
    }

    @SuppressWarnings("unchecked") // lines of text
    private static List<String> run(Settings settings, Path deploy, boolean yes) throws IOException {
        ConfigurationCheck.check(settings, deploy);
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try (URLClassLoader archives =
                new URLClassLoader(ConfigurationCheck.archives(deploy), ForceRecovery.class.getClassLoader())) {
            Thread.currentThread().setContextClassLoader(archives);
            return (List<String>) Class.forName(RECOVERY, true, archives)
                    .getMethod("run", Map.class, boolean.class)
                    .invoke(null, ConfigurationCheck.values(settings, archives), yes);
        } catch (InvocationTargetException e) {
            throw new Refusal(
                    String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the archives are not of this version: " + e, e);
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }
}
