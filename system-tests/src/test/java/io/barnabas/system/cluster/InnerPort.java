package io.barnabas.system.cluster;

import io.barnabas.system.BarnabasProcess;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

/**
 * A port of a node that only the other nodes are to use, as somebody sees it who can reach it and takes whatever certificate is shown.
 *
 * @param words that it answers at once to who may speak to it
 */
record InnerPort(String host, int port, byte[] words) {
    /** With which gRPC begins: it is answered with settings. */
    private static final byte[] HTTP_2 =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
    /** A whole request, version 0: length, API 18, version, correlation id, client id "me". */
    private static final byte[] API_VERSIONS = {0, 0, 0, 12, 0, 18, 0, 0, 0, 0, 0, 1, 0, 2, 'm', 'e'};

    /** With which members of the data grid begin: it is answered with the same. */
    private static final byte[] MEMBER = "HZC".getBytes(StandardCharsets.US_ASCII);

    private static final int PATIENCE_MS = 5_000;
    private static final int ALERT = 21;

    static InnerPort quorum(Place node) {
        return new InnerPort(node.host(), node.ports().quorum(), HTTP_2);
    }

    static InnerPort brokers(Place node) {
        return new InnerPort(node.host(), node.ports().brokers(), API_VERSIONS);
    }

    /** A key of a cluster, by the command for it. */
    static Path makeKey(Path file) {
        Command.run(
                Product.java(), "-jar", BarnabasProcess.jar().toAbsolutePath().toString(), "cluster-key", "" + file);
        return file;
    }

    /** @param address host:port */
    static InnerPort grid(String address) {
        String[] parts = address.split(":", 2);
        return new InnerPort(parts[0], Integer.parseInt(parts[1]), MEMBER);
    }

    /** With TLS, and a key of that file. */
    boolean answersTo(Path key) throws Exception {
        try (DefaultSslEngineFactory file = new DefaultSslEngineFactory()) {
            ConfigDef settings = new ConfigDef();
            SslConfigs.addClientSslSupport(settings);
            file.configure(settings.parse(Map.of(
                    SslConfigs.SSL_KEYSTORE_TYPE_CONFIG,
                    DefaultSslEngineFactory.PEM_TYPE,
                    SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG,
                    key.toString())));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(file.keystore(), new char[0]);
            return answersWithTls(keys.getKeyManagers());
        }
    }

    /** With TLS, and no certificate to show. */
    boolean answersWithoutKey() throws Exception {
        return answersWithTls(new KeyManager[0]);
    }

    /** With an answer that is none of TLS's own, which are alerts. */
    boolean answersInTheClear() throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), PATIENCE_MS);
            int first = firstOfAnswer(socket);
            return first >= 0 && first != ALERT;
        }
    }

    private boolean answersWithTls(KeyManager[] keys) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys, new TrustManager[] {new Trusting()}, null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket()) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            socket.connect(new InetSocketAddress(host, port), PATIENCE_MS);
            return firstOfAnswer(socket) >= 0;
        }
    }

    /** What comes back first; negative if that is the end, a refusal, or nothing. */
    private int firstOfAnswer(Socket socket) throws IOException {
        socket.setSoTimeout(PATIENCE_MS);
        try (InputStream in = socket.getInputStream()) {
            socket.getOutputStream().write(words);
            return in.read();
        } catch (SSLException | SocketTimeoutException | SocketException refused) {
            return -1;
        }
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }

    private static final class Trusting implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
            // whoever it is
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            // whoever it is
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
