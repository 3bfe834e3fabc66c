package dev.wove.worker;

import java.net.URI;
import java.net.URISyntaxException;

/**
 * A payload's {@code callback_grpc} in parts.
 *
 * @param address host and port
 * @param secure with TLS
 * @param token who may call
 */
record GrpcTarget(String address, boolean secure, String token) {
  /**
   * Takes one apart.
   *
   * @param url {@code grpc://host:port/token}, or {@code grpcs://}
   * @return null if it is none: {@code callback_url} serves, too
   */
  static GrpcTarget parse(String url) {
    try {
      URI found = new URI(url);
      boolean secure = "grpcs".equalsIgnoreCase(found.getScheme());
      boolean known = secure || "grpc".equalsIgnoreCase(found.getScheme());
      if (!known || found.getRawAuthority() == null || found.getPath().length() < 2) {
        return null;
      }
      return new GrpcTarget(found.getRawAuthority(), secure, found.getPath().substring(1));
    } catch (URISyntaxException error) {
      return null;
    }
  }

  /** Without the token: what targets have in common that may share a connection. */
  Peer peer() {
    return new Peer(address, secure);
  }

  /** The token stays out of every log. */
  @Override
  public String toString() {
    return address;
  }

  /**
   * The other end of a connection.
   *
   * @param address host and port
   * @param secure with TLS
   */
  record Peer(String address, boolean secure) {}
}
