package io.barnabas.server;

import java.nio.file.Path;

/**
 * What the launcher tells the server's process, as system properties.
 *
 * @param data the first data directory ({@code barnabas.server.data})
 * @param deploy where RAR and WAR lie unpacked ({@code barnabas.server.deploy})
 * @param httpHost address of the console ({@code barnabas.http.host})
 * @param httpPort port of the console ({@code barnabas.http.port})
 */
record ServerSettings(Path data, Path deploy, String httpHost, int httpPort) {
    static ServerSettings ofSystemProperties() {
        return new ServerSettings(
                Path.of(required("barnabas.server.data")),
                Path.of(required("barnabas.server.deploy")),
                required("barnabas.http.host"),
                Integer.parseInt(required("barnabas.http.port")));
    }

    /** The container's own folder, fresh at each start. */
    Path root() {
        return data.resolve("server");
    }

    private static String required(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException("the system property " + name + " is missing: start through the launcher");
        }
        return value;
    }
}
