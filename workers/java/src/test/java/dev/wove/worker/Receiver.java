package dev.wove.worker;

import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.wove.v1.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** A receiver whose answers a test writes. */
final class Receiver implements AutoCloseable {
  static final String ID = "rx-1";
  static final String TOKEN = "the-secret-token";

  /**
   * What came, and how.
   *
   * @param event decoded
   * @param frame its name
   * @param body its bytes
   * @param contentType of these
   * @param receiver the header Wove-Receiver; null if there was none
   * @param port of the other side, which names the connection
   * @param tries how often the event has come
   * @param at monotonic seconds
   */
  record Delivery(
      Event event,
      String frame,
      byte[] body,
      String contentType,
      String receiver,
      int port,
      int tries,
      double at) {}

  /**
   * What to answer.
   *
   * @param status of HTTP; 0: none, the connection is cut
   * @param body JSON; empty: none
   * @param by the header Wove-Receiver; null: none
   * @param retryAfter seconds; null: none
   */
  record Reply(int status, String body, String by, String retryAfter) {
    static final Reply ACCEPT = of(204);
    static final Reply DROP = of(0);
    static final Reply CANCEL = new Reply(200, "{\"cancel\":{}}", ID, null);

    static Reply of(int status) {
      return new Reply(status, "", ID, null);
    }
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Delivery> deliveries = new ArrayList<>();
  volatile Function<Delivery, Reply> rule = delivery -> Reply.ACCEPT;

  Receiver() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/wove/events/" + TOKEN, this::handle);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/wove/events/" + TOKEN;
  }

  /** A payload that leads here. */
  JsonObject payload(String task, String arguments) {
    JsonObject payload = new JsonObject();
    payload.addProperty("version", 1);
    payload.addProperty("callback_url", url());
    payload.addProperty("run_id", "run-" + System.nanoTime());
    payload.addProperty("task_id", "task-1");
    payload.addProperty("task_name", task);
    payload.addProperty("args_json", arguments);
    payload.addProperty("receiver_id", ID);
    payload.addProperty("delivery_retry_seconds", 20);
    return payload;
  }

  synchronized List<Delivery> deliveries() {
    return List.copyOf(deliveries);
  }

  List<Delivery> deliveries(String frame) {
    return deliveries().stream().filter(found -> found.frame().equals(frame)).toList();
  }

  List<String> frames() {
    return deliveries().stream().map(Delivery::frame).toList();
  }

  /** The last event that ended a run. */
  Event ending() {
    return deliveries().stream()
        .filter(found -> found.frame().matches("task_(result|error|cancelled)"))
        .reduce((first, second) -> second)
        .orElseThrow()
        .event();
  }

  /** Waits until some have come. */
  synchronized void await(String frame, int count) throws InterruptedException {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (deliveries(frame).size() < count) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("no " + count + " of " + frame + ": " + frames());
      }
      wait(100);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    String contentType = exchange.getRequestHeaders().getFirst("Content-Type");
    Event event = decode(contentType, body);
    Delivery delivery;
    synchronized (this) {
      String id = event.getEventId();
      long tries = deliveries.stream().filter(d -> d.event().getEventId().equals(id)).count();
      delivery =
          new Delivery(
              event,
              event.getFrameCase().name().toLowerCase(java.util.Locale.ROOT),
              body,
              contentType,
              exchange.getRequestHeaders().getFirst("Wove-Receiver"),
              exchange.getRemoteAddress().getPort(),
              (int) tries + 1,
              Reporter.now());
      deliveries.add(delivery);
      notifyAll();
    }
    Reply reply = rule.apply(delivery);
    if (reply.status() == 0) {
      exchange.close();
      return;
    }
    if (reply.by() != null) {
      exchange.getResponseHeaders().set("Wove-Receiver", reply.by());
    }
    if (reply.retryAfter() != null) {
      exchange.getResponseHeaders().set("Retry-After", reply.retryAfter());
    }
    byte[] text = reply.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(reply.status(), text.length == 0 ? -1 : text.length);
    if (text.length > 0) {
      exchange.getResponseBody().write(text);
    }
    exchange.close();
  }

  private static Event decode(String contentType, byte[] body) {
    try {
      if (contentType.equals("application/x-protobuf")) {
        return Event.parseFrom(body);
      }
      JsonObject json = StrictJson.parse(StrictJson.decode(body)).getAsJsonObject();
      return (Event) Vectors.flat("Event", json);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (ContractException error) {
      throw new IllegalArgumentException(error);
    }
  }
}
