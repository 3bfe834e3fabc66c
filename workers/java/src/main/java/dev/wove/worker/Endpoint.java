package dev.wove.worker;

import java.net.URI;
import java.net.URISyntaxException;

/** Callback URLs: what they must be, and how to name them without their secret. */
final class Endpoint {
  private Endpoint() {}

  /**
   * Takes a callback URL.
   *
   * @param url of a payload
   * @return where to post
   * @throws InvalidPayloadException it is none that HTTP can reach
   */
  static URI parse(String url) {
    URI found;
    try {
      found = new URI(url);
    } catch (URISyntaxException error) {
      throw new InvalidPayloadException("callback_url is no URL"); // the cause would quote it
    }
    String scheme = found.getScheme();
    if (!"http".equalsIgnoreCase(scheme) && !"https".equalsIgnoreCase(scheme)) {
      throw new InvalidPayloadException("callback_url is neither http nor https");
    }
    if (found.getHost() == null) {
      throw new InvalidPayloadException(
          "callback_url names no host (letters, digits, dots and hyphens)");
    }
    return found;
  }

  /**
   * A callback URL without token, query and credentials.
   *
   * @param url any text
   */
  static String redacted(String url) {
    try {
      URI found = new URI(url);
      String path = found.getRawPath() == null ? "" : found.getRawPath();
      String host = found.getHost() == null ? "" : found.getHost();
      String port = found.getPort() < 0 ? "" : ":" + found.getPort();
      String folder = path.substring(0, path.lastIndexOf('/') + 1);
      return found.getScheme() + "://" + host + port + folder;
    } catch (URISyntaxException error) {
      return "";
    }
  }
}
