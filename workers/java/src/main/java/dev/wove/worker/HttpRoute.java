package dev.wove.worker;

import dev.wove.v1.EventAck;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** POST to the callback URL. */
final class HttpRoute implements Route {
  private static final Clients EVENTS = new Clients(false);
  private static final Clients BEATS = new Clients(false);
  private static final Clients SECURE_EVENTS = new Clients(true);
  private static final Clients SECURE_BEATS = new Clients(true);

  private final URI url;
  private final String receiverId;
  private final Clients events;
  private final Clients beats;

  /**
   * The way to a receiver.
   *
   * @param url where to post
   * @param receiverId the payload's; empty if it has none
   */
  HttpRoute(URI url, String receiverId) {
    this.url = url;
    this.receiverId = receiverId;
    boolean secure = "https".equalsIgnoreCase(url.getScheme());
    this.events = secure ? SECURE_EVENTS : EVENTS;
    this.beats = secure ? SECURE_BEATS : BEATS;
  }

  @Override
  public Answer post(Body body, Duration timeout, boolean fresh) {
    return send(events, body, timeout, fresh);
  }

  @Override
  public Line line(Consumer<Answer> heard) {
    return new Line() {
      @Override
      public Answer beat(Body body, Duration timeout, boolean fresh) {
        return send(beats, body, timeout, fresh);
      }

      @Override
      public boolean pushes() {
        return false;
      }

      @Override
      public void close() {}
    };
  }

  private Answer send(Clients clients, Body body, Duration timeout, boolean fresh) {
    HttpClient client;
    try {
      client = fresh ? clients.renew() : clients.get();
    } catch (IOException | GeneralSecurityException error) { // a file of TLS
      return Answer.none(error.getClass().getSimpleName() + ": " + error.getMessage());
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(url)
            .header("Content-Type", body.contentType())
            .header("User-Agent", "wove-java/" + Version.TEXT)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.data()));
    if (!receiverId.isEmpty()) {
      request.header("Wove-Receiver", receiverId);
    }
    CompletableFuture<HttpResponse<byte[]>> sending =
        client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    try {
      return judge(sending.get(timeout.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException error) {
      sending.cancel(true); // closes its connection
      return Answer.none("no answer in time");
    } catch (InterruptedException error) {
      sending.cancel(true);
      return Answer.none("interrupted");
    } catch (ExecutionException error) {
      Throwable cause = error.getCause();
      String message = cause.getMessage() == null ? "" : ": " + cause.getMessage();
      return Answer.none(cause.getClass().getSimpleName() + message);
    }
  }

  private Answer judge(HttpResponse<byte[]> response) {
    return judge(
        response.statusCode(),
        response.headers().firstValue("wove-receiver").orElse(null),
        response.headers().firstValue("retry-after"),
        response.body(),
        receiverId);
  }

  /**
   * Judges an answer.
   *
   * @param status of HTTP
   * @param answeredBy the header Wove-Receiver; null: none
   * @param retryAfter the header Retry-After
   * @param body of the answer
   * @param receiverId the payload's; empty if it has none
   */
  static Answer judge(
      int status, String answeredBy, Optional<String> retryAfter, byte[] body, String receiverId) {
    EventAck ack = ack(body);
    OptionalDouble pause = retryAfter(retryAfter);
    if (pause.isEmpty() && ack != null && ack.hasRetryAfterSeconds()) {
      pause = retryAfter(Optional.of(Double.toString(ack.getRetryAfterSeconds())));
    }
    return Answer.judge(status, Integer.toString(status), answeredBy, receiverId, pause, ack);
  }

  /** The acknowledgement; what cannot be read was accepted all the same. */
  private static EventAck ack(byte[] body) {
    if (body.length == 0) {
      return null;
    }
    try {
      return Acks.parse(StrictJson.decode(body));
    } catch (ContractException error) {
      return null;
    }
  }

  /**
   * Reads {@code Retry-After}.
   *
   * @param value seconds, or a date
   */
  static OptionalDouble retryAfter(Optional<String> value) {
    if (value.isEmpty()) {
      return OptionalDouble.empty();
    }
    double seconds;
    try {
      seconds = Double.parseDouble(value.get());
    } catch (NumberFormatException error) {
      seconds = secondsUntil(value.get());
    }
    return seconds >= 0 && seconds < 1e9 ? OptionalDouble.of(seconds) : OptionalDouble.empty();
  }

  private static double secondsUntil(String date) {
    try {
      Instant then = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Math.max(0, Duration.between(Instant.now(), then).toMillis() / 1000.0);
    } catch (DateTimeParseException error) {
      return -1;
    }
  }

  /**
   * A client with connections of its own, shared by this process's runs. A new connection can be
   * had only from a new client: the one before ends when nobody uses it any more.
   */
  private static final class Clients {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    private final boolean secure;
    private HttpClient client;

    Clients(boolean secure) {
      this.secure = secure;
    }

    synchronized HttpClient get() throws IOException, GeneralSecurityException {
      return client == null ? renew() : client;
    }

    synchronized HttpClient renew() throws IOException, GeneralSecurityException {
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .connectTimeout(CONNECT);
      if (secure) {
        SSLContext context = HttpsFiles.context();
        if (context != null) {
          builder.sslContext(context);
        }
      } else {
        builder.sslContext(NoTls.context()).sslParameters(new SSLParameters());
      }
      client = builder.build();
      return client;
    }
  }
}
