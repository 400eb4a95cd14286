package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes the file that {@code barnabas.cluster.key} names: a new private key and its certificate, by the JDK's keytool. */
@Command(
        name = "cluster-key",
        description = "Makes a key that the nodes of a cluster know each other by (barnabas.cluster.key).",
        mixinStandardHelpOptions = true)
final class ClusterKeyCommand implements Callable<Integer> {
    private static final String ALIAS = "cluster";
    private static final String VALID_DAYS = "3650";
    private static final int LINE = 64;
    private static final String PASSWORD = "BARNABAS_KEY_PASSWORD";

    @Parameters(paramLabel = "FILE", description = "Where to write it; must not exist yet.")
    private Path file = Path.of("cluster.pem");

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (Files.exists(file)) {
            throw new Refusal(file + " exists already; a key is not overwritten: name another file");
        }
        String password = UUID.randomUUID().toString();
        Path folder = Files.createTempDirectory("barnabas-key-");
        try {
            Path store = folder.resolve("key.p12");
            keytool(store, password);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, pem(store, password.toCharArray()), StandardOpenOption.WRITE);
        } finally {
            RuntimeFolder.delete(folder);
        }
        System.out.println(
                "The key is in " + file.toAbsolutePath() + ", to be read by nobody else. Copy it to every node"
                        + " and set barnabas.cluster.key=FILE on all of them before they start.");
        return 0;
    }

    private static void keytool(Path store, String password) throws IOException, InterruptedException {
        ProcessBuilder command = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        ALIAS,
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-validity",
                        VALID_DAYS,
                        "-dname",
                        "CN=barnabas-cluster",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass:env",
                        PASSWORD))
                .redirectErrorStream(true);
        command.environment().put(PASSWORD, password); // arguments are seen by everybody
        Process keytool = command.start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (keytool.waitFor() != 0) {
            throw new Refusal("keytool made no key: " + said.strip());
        }
    }

    private static String pem(Path store, char[] password) throws IOException {
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, password);
            return section("PRIVATE KEY", keys.getKey(ALIAS, password).getEncoded())
                    + section("CERTIFICATE", keys.getCertificate(ALIAS).getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IOException("the key that was made cannot be read: " + e.getMessage(), e);
        }
    }

    private static String section(String what, byte[] bytes) {
        String body = Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n";
    }
}
