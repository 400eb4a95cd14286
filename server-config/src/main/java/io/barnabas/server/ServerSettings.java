package io.barnabas.server;

import java.nio.file.Path;

/**
 * What the launcher tells the server's process, as system properties.
 *
 * @param root the container's own folder, fresh at each start ({@code barnabas.server.root})
 * @param deploy where RAR and WAR lie unpacked ({@code barnabas.server.deploy})
 * @param httpHost address of the console ({@code barnabas.http.host})
 * @param httpPort port of the console ({@code barnabas.http.port})
 */
record ServerSettings(Path root, Path deploy, String httpHost, int httpPort) {
    static ServerSettings ofSystemProperties() {
        return new ServerSettings(
                Path.of(required("barnabas.server.root")),
                Path.of(required("barnabas.server.deploy")),
                required("barnabas.http.host"),
                Integer.parseInt(required("barnabas.http.port")));
    }

    /** Where the launcher wrote this process's id: in the data directory, which the container's folder is in too. */
    Path pidFile() {
        return root.resolveSibling("barnabas.pid");
    }

    private static String required(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException("the system property " + name + " is missing: start through the launcher");
        }
        return value;
    }
}
