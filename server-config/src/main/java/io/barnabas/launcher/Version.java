package io.barnabas.launcher;

import picocli.CommandLine.IVersionProvider;

/** The version that stands in the jar. */
final class Version implements IVersionProvider {
    static String ofJar() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"Barnabas " + ofJar() + " (protocol of Apache Kafka 4.4)"};
    }
}
