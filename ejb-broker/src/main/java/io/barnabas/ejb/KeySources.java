package io.barnabas.ejb;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.eclipse.microprofile.config.spi.ConfigSourceProvider;

/**
 * Brings the file that {@code barnabas.config} names (a {@code server.properties}; below environment and system properties) and the
 * settings of the command line ({@code barnabas.set}, lines of {@code key=value}; above everything) into MicroProfile Config.
 */
public final class KeySources implements ConfigSourceProvider {
    private static final int ABOVE_SYSTEM_PROPERTIES = 500;
    private static final int BELOW_THE_ENVIRONMENT = 200;

    @Override
    public Iterable<ConfigSource> getConfigSources(ClassLoader loader) {
        List<ConfigSource> sources = new ArrayList<>();
        try {
            String set = System.getProperty("barnabas.set", "");
            sources.add(new KeySource("barnabas --set", ABOVE_SYSTEM_PROPERTIES, lines(set)));
            String file = System.getProperty("barnabas.config");
            if (file != null) {
                try (Reader in = Files.newBufferedReader(Path.of(file), StandardCharsets.UTF_8)) {
                    sources.add(new KeySource(file, BELOW_THE_ENVIRONMENT, read(in)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return sources;
    }

    private static Map<String, String> lines(String set) {
        return set.lines()
                .filter(line -> line.indexOf('=') > 0)
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf('=')).trim(),
                        line -> line.substring(line.indexOf('=') + 1).trim(),
                        (first, last) -> last));
    }

    private static Map<String, String> read(Reader in) throws IOException {
        Properties properties = new Properties();
        properties.load(in);
        return properties.stringPropertyNames().stream()
                .collect(Collectors.toMap(
                        name -> name, name -> properties.getProperty(name).trim()));
    }
}
