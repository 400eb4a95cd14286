import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Collections;

/**
 * Run by the build: {@code java LightKeyStores.java PASSWORD FILE...} writes the container's key stores again with the same entries, but
 * without checksum, certificates in the clear and keys enciphered in one round. The container opens both stores in every start, and its
 * ten thousand rounds of a digest for each part guard nothing: the password is known to all, the certificates are public, and the keys
 * are those of every copy of the container.
 */
public final class LightKeyStores {
    private LightKeyStores() {}

    /** Rewrites each file in place. */
    public static void main(String[] args) throws IOException, GeneralSecurityException {
        System.setProperty("keystore.pkcs12.macAlgorithm", "NONE");
        System.setProperty("keystore.pkcs12.certProtectionAlgorithm", "NONE");
        System.setProperty("keystore.pkcs12.keyPbeIterationCount", "1");
        char[] password = args[0].toCharArray();
        for (int i = 1; i < args.length; i++) {
            rewrite(Path.of(args[i]), password);
        }
    }

    private static void rewrite(Path file, char[] password) throws IOException, GeneralSecurityException {
        KeyStore from = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            from.load(in, password);
        }
        KeyStore to = KeyStore.getInstance("PKCS12");
        to.load(null, null);
        for (String alias : Collections.list(from.aliases())) {
            if (from.isKeyEntry(alias)) {
                to.setKeyEntry(alias, from.getKey(alias, password), password, from.getCertificateChain(alias));
            } else {
                to.setCertificateEntry(alias, from.getCertificate(alias));
            }
        }
        try (OutputStream out = Files.newOutputStream(file)) {
            to.store(out, password);
        }
    }
}
