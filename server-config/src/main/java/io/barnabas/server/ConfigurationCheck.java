package io.barnabas.server;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Holds the configuration against the broker's own rules before the container boots, so that a value that is not allowed is refused
 * at once and not after seconds of start. The rules are in the application's archive, which this process's class path does not have:
 * they are loaded for this check alone. The broker checks again when it starts. Thread: main.
 */
final class ConfigurationCheck {
    private static final String RULES = "io.barnabas.config.BrokerConfig";
    private static final String KEY_OF_CLUSTER = "io.barnabas.port.ClusterKey";
    private static final Pattern KEY = Pattern.compile("for configuration ([^\\s:]+)");

    private ConfigurationCheck() {}

    /**
     * Checks with the rules in these archives, and gives the data grid the cluster's key if it is to have both.
     *
     * @param deploy the folder of the unpacked archives
     * @return what to start the data grid with; empty if there is to be none
     * @throws Refusal if a value is not allowed; names key, value, what is allowed and where the value stands
     */
    static Map<String, String> check(Settings settings, Path deploy) throws IOException {
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try (URLClassLoader archives =
                new URLClassLoader(archives(deploy), ConfigurationCheck.class.getClassLoader())) {
            Thread.currentThread().setContextClassLoader(archives); // values that name classes are looked for there
            Map<String, String> grid = check(settings, archives);
            @Nullable String key = grid.get("barnabas.grid.key");
            if (key != null) {
                secure(Path.of(key), archives);
            }
            return grid;
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    /** The data grid knows nodes by the cluster's key as the broker's own ports do: it is read by the broker's rules. */
    private static void secure(Path pem, ClassLoader rules) {
        try {
            Class<?> key = Class.forName(KEY_OF_CLUSTER, true, rules);
            Object read = key.getMethod("read", Path.class).invoke(null, pem);
            GridTls.use((KeyManager) key.getMethod("keys").invoke(read), (TrustManager)
                    key.getMethod("trust").invoke(read));
        } catch (InvocationTargetException e) {
            throw new Refusal(
                    String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()));
        } catch (ReflectiveOperationException | GeneralSecurityException | LinkageError e) {
            throw new Refusal("the data grid cannot be secured by barnabas.cluster.key: " + e);
        }
    }

    /** All that is configured for the broker. */
    @SuppressWarnings("unchecked") // BrokerConfig.knownKeys() is a set of strings
    static Map<String, String> values(Settings settings, ClassLoader rules) throws ReflectiveOperationException {
        return settings.all((Set<String>)
                Class.forName(RULES, true, rules).getMethod("knownKeys").invoke(null));
    }

    @SuppressWarnings("unchecked") // BrokerConfig.gridProperties() is a map of strings
    static Map<String, String> check(Settings settings, ClassLoader rules) {
        try {
            Class<?> config = Class.forName(RULES, true, rules);
            Object checked = config.getMethod("of", Map.class).invoke(null, values(settings, rules));
            return (Map<String, String>) config.getMethod("gridProperties").invoke(checked);
        } catch (InvocationTargetException e) {
            throw refusal(settings, e.getCause() == null ? e : e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the archives are not of this version: " + e, e);
        }
    }

    private static Refusal refusal(Settings settings, Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        Matcher key = KEY.matcher(message);
        String where = key.find()
                ? settings.whereSet(key.group(1)).map(w -> " (" + w + ")").orElse("")
                : "";
        return new Refusal(message + where);
    }

    /** Our own jars and the application's; the libraries are on the class path. */
    static URL[] archives(Path deploy) throws IOException {
        List<URL> urls = new ArrayList<>();
        for (Path folder : List.of(deploy.resolve("console/WEB-INF/lib"), deploy.resolve("barnabas"))) {
            try (Stream<Path> jars = Files.list(folder)) {
                for (Path jar : jars.filter(p -> p.toString().endsWith(".jar")).toList()) {
                    urls.add(url(jar));
                }
            }
        }
        urls.add(url(deploy.resolve("console/WEB-INF/classes")));
        return urls.toArray(new URL[0]);
    }

    private static URL url(Path path) throws MalformedURLException {
        return path.toUri().toURL();
    }
}
