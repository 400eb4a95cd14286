package io.barnabas.port;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

/**
 * What a node shows to the others of its cluster and knows them by: a private key with its certificate, and the certificates that are
 * trusted, all of one file in PEM. Who has such a key is a node of the cluster, at whatever address; nobody else is. Immutable.
 *
 * @param keys the node's own
 * @param trust accepts who holds a key of the cluster; names of hosts are not looked at
 */
public record ClusterKey(KeyManager keys, TrustManager trust) {
    /** The protocol of every connection between nodes. */
    public static final String PROTOCOL = "TLSv1.3";

    private static final char[] NO_PASSWORD = {};

    /**
     * Reads a private key that is not encrypted (PKCS #8), its certificate (chain), and with them whom to trust.
     *
     * @throws IOException if the file cannot be read or lacks one of them; the message says what to do
     */
    public static ClusterKey read(Path pem) throws IOException {
        if (!Files.isReadable(pem)) {
            throw new IOException("the cluster's key " + pem.toAbsolutePath() + " cannot be read");
        }
        try (DefaultSslEngineFactory file = new DefaultSslEngineFactory()) {
            ConfigDef keys = new ConfigDef();
            SslConfigs.addClientSslSupport(keys);
            file.configure(keys.parse(Map.of(
                    SslConfigs.SSL_KEYSTORE_TYPE_CONFIG,
                    DefaultSslEngineFactory.PEM_TYPE,
                    SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG,
                    pem.toString(),
                    SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG,
                    DefaultSslEngineFactory.PEM_TYPE,
                    SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG,
                    pem.toString())));
            return of(file.keystore(), file.truststore());
        } catch (KafkaException | GeneralSecurityException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(
                    "the cluster's key " + pem.toAbsolutePath()
                            + " must be a PEM file with a private key (PKCS #8, not encrypted) and its certificate: "
                            + cause.getMessage(),
                    e);
        }
    }

    private static ClusterKey of(KeyStore own, KeyStore trusted) throws GeneralSecurityException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, NO_PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        return new ClusterKey(keys.getKeyManagers()[0], new AnyHost((X509TrustManager) trust.getTrustManagers()[0]));
    }

    /** Looks at certificates as ever, and at no host's name: the certificates are the cluster's own. */
    private static final class AnyHost extends X509ExtendedTrustManager {
        private final X509TrustManager certificates;

        private AnyHost(X509TrustManager certificates) {
            this.certificates = certificates;
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            certificates.checkClientTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            certificates.checkClientTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            certificates.checkClientTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            certificates.checkServerTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            certificates.checkServerTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            certificates.checkServerTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return certificates.getAcceptedIssuers();
        }
    }
}
