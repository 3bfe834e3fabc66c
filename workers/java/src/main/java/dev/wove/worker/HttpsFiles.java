package dev.wove.worker;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** TLS for {@code https://} callback URLs, with PEM files that the worker's environment names. */
final class HttpsFiles {
  private static final String CA = "WOVE_HTTPS_CA";
  private static final String CERTIFICATE = "WOVE_HTTPS_CERTIFICATE";
  private static final String PRIVATE_KEY = "WOVE_HTTPS_PRIVATE_KEY";

  private HttpsFiles() {}

  /**
   * The context that the files make.
   *
   * @return null where none is named: Java's own settings hold then
   * @throws IOException a file cannot be read
   * @throws GeneralSecurityException a file has another content
   */
  static SSLContext context() throws IOException, GeneralSecurityException {
    String authorities = named(CA);
    String certificate = named(CERTIFICATE);
    if (authorities == null && certificate == null) {
      return null;
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        certificate == null ? null : keys(certificate, named(PRIVATE_KEY)),
        authorities == null ? null : trust(authorities),
        null);
    return context;
  }

  private static TrustManager[] trust(String path) throws IOException, GeneralSecurityException {
    KeyStore store = emptyStore();
    for (Certificate each : certificates(CA, path)) {
      store.setCertificateEntry("authority-" + store.size(), each);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyManager[] keys(String certificate, String key)
      throws IOException, GeneralSecurityException {
    if (key == null) {
      throw new IOException(CERTIFICATE + " needs " + PRIVATE_KEY);
    }
    Certificate[] chain = certificates(CERTIFICATE, certificate).toArray(new Certificate[0]);
    KeyStore store = emptyStore();
    char[] noPassword = {};
    store.setKeyEntry("own", privateKey(key, chain[0]), noPassword, chain);
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, noPassword);
    return factory.getKeyManagers();
  }

  private static KeyStore emptyStore() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    return store;
  }

  static List<Certificate> certificates(String variable, String path)
      throws IOException, GeneralSecurityException {
    byte[] data = read(variable, path);
    List<Certificate> found;
    try {
      found =
          List.copyOf(
              CertificateFactory.getInstance("X.509")
                  .generateCertificates(new ByteArrayInputStream(data)));
    } catch (CertificateException error) {
      found = List.of();
    }
    if (found.isEmpty()) {
      throw new IOException(variable + ": the file has no certificate in PEM");
    }
    return found;
  }

  /** What a file has; an error names its variable. */
  static byte[] read(String variable, String path) throws IOException {
    try {
      return Files.readAllBytes(Path.of(path));
    } catch (IOException | InvalidPathException error) {
      throw new IOException(variable + ": the file cannot be read: " + error);
    }
  }

  /** A key in PKCS #8, of the kind that its certificate has. */
  private static PrivateKey privateKey(String path, Certificate certificate)
      throws IOException, GeneralSecurityException {
    String text = new String(read(PRIVATE_KEY, path), StandardCharsets.US_ASCII);
    int begin = text.indexOf("-----BEGIN PRIVATE KEY-----");
    int end = text.indexOf("-----END PRIVATE KEY-----");
    if (begin < 0 || end < begin) {
      throw new IOException(PRIVATE_KEY + ": the file has no PRIVATE KEY (PKCS #8) in PEM");
    }
    byte[] encoded = Base64.getMimeDecoder().decode(text.substring(begin + 27, end));
    try {
      return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
          .generatePrivate(new PKCS8EncodedKeySpec(encoded));
    } catch (InvalidKeySpecException error) {
      throw new IOException(
          PRIVATE_KEY + ": the key is not that of the certificate"); // quotes none
    }
  }

  private static String named(String variable) {
    String path = System.getenv(variable);
    return path == null || path.isEmpty() ? null : path;
  }
}
